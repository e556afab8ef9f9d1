import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { describe, expect, test, vi } from 'vitest';
import { hurriedClock } from '../fixtures/hurried-clock.ts';
import { ScriptedMonitor } from '../fixtures/scripted-monitor.ts';
import { type ProcessHandle, Qemu } from './qemu.ts';
import type { ProcessEnd } from './qemu-process.ts';

const limits = { timeoutMs: 60_000 };

/** A QEMU that answers nothing and lives until it is told to end. */
function silentQemu(clock: Clock = hurriedClock) {
  const far = new ScriptedMonitor(() => undefined);
  const kill = vi.fn();
  let end: (end: ProcessEnd) => void = () => {};
  const ended = new Promise<ProcessEnd>((resolve) => {
    end = resolve;
  });
  const process: ProcessHandle = { pid: 1, ended, said: '', kill, release() {} };
  const present = { state: 'running', reason: 'told so' } as const;
  return { far, end, kill, qemu: new Qemu({ process, monitor: far.stream, clock, present }) };
}

describe('a command to QEMU', () => {
  const gone = new WarmvmError('WARMVM_MACHINE_GONE', 'destroyed by its owner');

  test('given up because the machine is destroyed does not wait for the end of a process that lives', async () => {
    const { qemu } = silentQemu();
    await expect(qemu.execute('cont', { ...limits, signal: AbortSignal.abort(gone) })).rejects.toBe(gone);
    const controller = new AbortController();
    const asked = qemu.execute('cont', { ...limits, signal: controller.signal });
    controller.abort(gone);
    await expect(asked).rejects.toBe(gone);
  });

  test('that is under way when QEMU ends tells how it ended', async () => {
    const { qemu, far, end } = silentQemu();
    const asked = qemu.execute('cont', limits);
    far.end();
    end({ exitCode: null, signal: 'SIGSEGV' });
    await expect(asked).rejects.toSatisfy(
      (error) => isWarmvmError(error, 'WARMVM_MACHINE_CRASHED') && error.details.signal === 'SIGSEGV',
    );
  });
});

describe('the end of QEMU', () => {
  const POWERED_OFF = { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } };
  const EXITED = { exitCode: 0, signal: null };

  /** Timers that fire when the test says so, by their delay. */
  function heldClock() {
    const timers = new Map<object, { callback: () => void; delayMs: number }>();
    const clock: Clock = {
      ...hurriedClock,
      setTimer(callback, delayMs) {
        const timer = { cancel: () => void timers.delete(timer) };
        timers.set(timer, { callback, delayMs });
        return timer;
      },
    };
    const fire = (): number[] =>
      [...timers.values()].map(({ callback, delayMs }) => {
        callback();
        return delayMs;
      });
    return { clock, fire, timers };
  }

  test('after its guest has powered off is a stop, however long after its monitor it comes', async () => {
    const { clock, timers } = heldClock();
    const { qemu, far, end, kill } = silentQemu(clock);
    far.send(POWERED_OFF);
    await nextTurn();
    far.end();
    await qemu.monitor.closed;
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(kill).not.toHaveBeenCalled();
    end(EXITED);
    await expect.poll(() => qemu.present.state).toBe('stopped');
    expect(timers.size).toBe(0);
  });

  test('is told after what it said before, although the process was seen to be gone first', async () => {
    const { qemu, far, end } = silentQemu(heldClock().clock);
    end(EXITED);
    await nextTurn();
    expect(qemu.present.state).toBe('running');
    far.send(POWERED_OFF);
    await nextTurn();
    far.end();
    await expect.poll(() => qemu.present).toMatchObject({ state: 'stopped', reason: /SHUTDOWN guest-shutdown$/ });
  });

  test('is told in time although its monitor does not end', async () => {
    const { clock, fire } = heldClock();
    const { qemu, end } = silentQemu(clock);
    end({ exitCode: null, signal: 'SIGSEGV' });
    await nextTurn();
    expect(fire()).toEqual([1000]);
    await expect.poll(() => qemu.present.state).toBe('crashed');
  });

  test('is brought about when it lives on without a monitor', async () => {
    const { clock, fire } = heldClock();
    const { qemu, far, kill } = silentQemu(clock);
    far.end();
    await qemu.monitor.closed;
    await nextTurn();
    expect(kill).not.toHaveBeenCalled();
    expect(fire()).toEqual([5000]);
    await nextTurn();
    expect(kill).toHaveBeenCalledOnce();
  });

  test('is left to its new owner', async () => {
    const { clock, fire } = heldClock();
    const { qemu, kill } = silentQemu(clock);
    await qemu.release();
    await nextTurn();
    fire();
    await nextTurn();
    expect(kill).not.toHaveBeenCalled();
  });
});
