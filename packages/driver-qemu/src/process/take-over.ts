import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Clock, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import type { ProcessMark } from '../home/mark.ts';
import { ForeignProcess } from './foreign-process.ts';
import { Qemu, type QemuCallOptions } from './qemu.ts';
import { stateOfStatus } from './run-state.ts';

/** A QEMU that somebody else has started. */
export interface HeirPlan {
  /** Socket of the monitor that is kept for heirs. */
  readonly socketPath: string;
  /** Private folder of the machine. */
  readonly directory: string;
  readonly process: ProcessMark;
}

/** A QEMU that is ours from now on. */
export interface TakenOver {
  readonly qemu: Qemu;
  readonly agent: Socket;
}

/**
 * Takes a running QEMU over from its owner: by the monitor that is kept for that, and by moving the guest agent's port from the
 * owner's socket to a new one. The owner's stream to the agent ends with it.
 * @throws WARMVM_MACHINE_GONE when nothing answers; WARMVM_NOT_READY when it does not run, or another heir holds its monitor;
 * WARMVM_MACHINE_CRASHED
 */
export async function takeOver(
  plan: HeirPlan,
  options: QemuCallOptions & { readonly clock: Clock },
): Promise<TakenOver> {
  const stream = await reach(plan.socketPath, options);
  const ended = new Promise((resolve) => stream.once('close', resolve));
  const process = new ForeignProcess(plan.process, ended, options.clock);
  const qemu = new Qemu({ process, monitor: stream, clock: options.clock, present: stateOfStatus('unknown') });
  const agentPath = join(plan.directory, `agent-${randomBytes(2).toString('hex')}`);
  try {
    await qemu.execute('qmp_capabilities', options);
    await requireRunning(qemu, options);
    const address = { type: 'unix', data: { path: agentPath } };
    const backend = { type: 'socket', data: { addr: address, server: true, wait: false } };
    await qemu.execute('chardev-change', options, { id: 'agent', backend });
    return { qemu, agent: await reach(agentPath, options) };
  } catch (cause) {
    await qemu.release();
    if (!isWarmvmError(cause, 'WARMVM_HOST_OPERATION')) throw cause;
    throw new WarmvmError('WARMVM_NOT_READY', 'the monitor of the machine did not do as it was asked', {
      cause,
      retryable: true,
    });
  } finally {
    await rm(agentPath, { force: true });
  }
}

async function requireRunning(qemu: Qemu, options: QemuCallOptions): Promise<void> {
  const answer = (await qemu.execute('query-status', options)) as { readonly status?: unknown };
  const { state, reason } = stateOfStatus(answer.status);
  if (state === 'running') return qemu.observe({ state, reason });
  const code = state === 'crashed' ? 'WARMVM_MACHINE_CRASHED' : 'WARMVM_NOT_READY';
  throw new WarmvmError(code, `the machine is ${state}: ${reason}`, { details: { state, expected: 'running' } });
}

async function reach(path: string, { signal }: QemuCallOptions): Promise<Socket> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', signal === undefined ? {} : { signal });
    socket.on('error', () => {});
    return socket;
  } catch (cause) {
    socket.destroy();
    signal?.throwIfAborted();
    throw new WarmvmError('WARMVM_MACHINE_GONE', 'no QEMU listens where the machine was', { cause, details: { path } });
  }
}
