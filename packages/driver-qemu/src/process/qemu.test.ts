import { isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { hurriedClock } from '../fixtures/hurried-clock.ts';
import { ScriptedMonitor } from '../fixtures/scripted-monitor.ts';
import { type ProcessHandle, Qemu } from './qemu.ts';
import type { ProcessEnd } from './qemu-process.ts';

const limits = { timeoutMs: 60_000 };

/** A QEMU that answers nothing and lives until it is told to end. */
function silentQemu() {
  const far = new ScriptedMonitor(() => undefined);
  let end: (end: ProcessEnd) => void = () => {};
  const ended = new Promise<ProcessEnd>((resolve) => {
    end = resolve;
  });
  const process: ProcessHandle = { pid: 1, ended, said: '', kill() {}, release() {} };
  const present = { state: 'running', reason: 'told so' } as const;
  return { far, end, qemu: new Qemu({ process, monitor: far.stream, clock: hurriedClock, present }) };
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
