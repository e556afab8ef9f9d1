import { isWarmvmError, WarmvmError } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { fakeWelcome } from '../fixtures/kept-pool.ts';
import { errorFromWire, errorToWire } from './error-wire.ts';
import { ProtocolViolation } from './frame.ts';
import { asClosed, asDrain, asExecEnd, asLease, asStatus, parseReply } from './reply-check.ts';
import { parseRequest } from './request-schema.ts';

const exec = { type: 'exec', call: 1, command: ['true'], environment: {}, hasInput: false, isStreamed: true };

describe('a request', () => {
  test.each([
    { type: 'hello', protocol: 1 },
    { type: 'lease', call: 1, timeoutMs: 0 },
    { ...exec, workingDirectory: '/tmp', timeoutMs: 5, maxOutputBytes: Number.MAX_SAFE_INTEGER },
    { type: 'drain', call: 4, graceMs: 0 },
  ])('is taken as it is: %j', (request) => {
    expect(parseRequest(JSON.stringify(request))).toEqual(request);
  });

  test.each([
    ['no type', {}],
    ['a process that cannot be', { type: 'hello', protocol: 1, pid: 0 }],
    ['an unknown type', { type: 'reboot', call: 1 }],
    ['no number', { type: 'status' }],
    ['the number 0', { type: 'status', call: 0 }],
    ['half a number', { type: 'status', call: 1.5 }],
    ['a number that does not fit', { type: 'status', call: 2 ** 32 }],
    ['a field too many', { type: 'status', call: 1, path: '/etc/shadow' }],
    ['an empty command', { ...exec, command: [] }],
    ['a command that is a string', { ...exec, command: 'rm -rf /' }],
    ['a variable that is no text', { ...exec, environment: { A: 1 } }],
    ['a negative time', { type: 'lease', call: 1, timeoutMs: -1 }],
    ['a file that is too long', { type: 'write', call: 1, path: '/a', append: false, sizeBytes: 1_048_577 }],
    ['an empty path', { type: 'read', call: 1, path: '' }],
    ['a way of return that there is not', { type: 'return', call: 1, how: 'keep' }],
  ])('with %s is refused', (_what, request) => {
    expect(() => parseRequest(JSON.stringify(request))).toThrow(ProtocolViolation);
  });
});

describe('a reply', () => {
  test.each([
    ['no type', {}],
    ['a type of every object', { type: 'toString' }],
    ['a welcome without its pool', { ...fakeWelcome(), pool: undefined }],
    ['a welcome with a malformed file', { ...fakeWelcome(), config: { path: 7 } }],
    ['a failure without its error', { type: 'failure', call: 1 }],
    ['credit of less than nothing', { type: 'credit', call: 1, sizeBytes: -1 }],
    ['an event without type', { type: 'event', event: {} }],
  ])('with %s is refused', (_what, reply) => {
    expect(() => parseReply(JSON.stringify(reply))).toThrow(ProtocolViolation);
  });

  test.each([
    ['a lease', asLease, { machineId: 'a', host: 'b', slot: 1, turn: 1, generation: '1', reach: null }],
    [
      'an end of a program',
      asExecEnd,
      { exitCode: 'none', signal: null, stdoutTruncated: false, stderrTruncated: false },
    ],
    ['an end of a pool', asDrain, { durationMs: 1, revoked: -1, undestroyed: 0 }],
    ['a report of an end', asClosed, { durationMs: 1, revoked: 3, undestroyed: [] }],
    ['a status', asStatus, { schema: 2 }],
  ])('with %s that is malformed is refused', (_what, read: (value: unknown) => unknown, value) => {
    expect(() => read(value)).toThrow(ProtocolViolation);
  });
});

describe('an error', () => {
  test('crosses with its code, facts and causes, and without its stack', () => {
    const error = new WarmvmError('WARMVM_FORK_FAILED', 'no room', {
      retryable: true,
      details: { freeBytes: 12n, because: new Error('inner') },
      cause: new Error('disk full', { cause: 'quota' }),
    });
    const wire = JSON.parse(JSON.stringify(errorToWire(error)));
    expect(JSON.stringify(wire)).not.toContain('at ');
    const back = errorFromWire(wire);
    expect(isWarmvmError(back, 'WARMVM_FORK_FAILED')).toBe(true);
    expect(back).toMatchObject({
      message: 'no room',
      retryable: true,
      details: { freeBytes: '12', because: { message: 'inner' } },
      cause: { message: 'disk full', cause: { message: 'quota' } },
    });
  });

  test('that is malformed is told all the same', () => {
    expect(errorFromWire({ code: 'NONSENSE', message: 7, details: [] }).message).toMatch(/without words/);
    expect(errorFromWire(null)).toBeInstanceOf(Error);
  });

  test('is bounded, however deep and long it is', () => {
    let error = new Error('x'.repeat(10_000));
    for (let depth = 0; depth < 50; depth += 1) error = new Error('outer', { cause: error });
    expect(JSON.stringify(errorToWire(error)).length).toBeLessThan(40_000);
    const details = { all: 'y'.repeat(100_000) };
    expect(errorToWire(new WarmvmError('WARMVM_NOT_READY', 'm', { details })).details).toEqual({});
  });
});
