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

  test('that is none at all is told as it is', () => {
    expect(explain('plain words')).toBe('error: plain words');
  });
});

test('there is a remedy for every code, and for no other', () => {
  expect(Object.keys(REMEDIES).toSorted()).toEqual([...ERROR_CODES].toSorted());
  for (const remedy of Object.values(REMEDIES)) expect(remedy.length).toBeGreaterThan(20);
});
