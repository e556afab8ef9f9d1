import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { type Clock, isWarmvmError, sleep, WarmvmError } from '@warmvm/core/driver';
import type { ProcessMark } from '../home/mark.ts';
import { ForeignProcess } from './foreign-process.ts';
import { connectIn, listenForQemu } from './private-socket.ts';
import { Qemu, type QemuCallOptions } from './qemu.ts';
import { stateOfStatus } from './run-state.ts';

/** A QEMU that somebody else has started. */
export interface HeirPlan {
  /** Folder that QEMU runs in. */
  readonly directory: string;
  /** Name in it of the socket of the monitor that is kept for a later owner. */
  readonly socket: string;
  readonly process: ProcessMark;
}

type TakeOverOptions = QemuCallOptions & { readonly clock: Clock };

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
export async function takeOver(plan: HeirPlan, options: TakeOverOptions): Promise<TakenOver> {
  const stream = await reach(plan, options);
  const ended = new Promise((resolve) => stream.once('close', resolve));
  const process = new ForeignProcess(plan.process, ended, options.clock);
  const qemu = new Qemu({ process, monitor: stream, clock: options.clock, present: stateOfStatus('unknown') });
  const name = `agent-${randomBytes(2).toString('hex')}`;
  let server: Server | undefined;
  try {
    await qemu.execute('qmp_capabilities', options);
    await requireRunning(qemu, options);
    // QEMU may make nothing in its folder: it connects to us.
    server = await listenForQemu(plan.directory, name);
    const connected = accept(server, options);
    connected.catch(() => {});
    const address = { type: 'unix', data: { path: name } };
    const backend = { type: 'socket', data: { addr: address, server: false } };
    await qemu.execute('chardev-change', options, { id: 'agent', backend });
    return { qemu, agent: await connected };
  } catch (cause) {
    await qemu.release();
    if (!isWarmvmError(cause, 'WARMVM_HOST_OPERATION')) throw cause;
    throw new WarmvmError('WARMVM_NOT_READY', 'the monitor of the machine did not do as it was asked', {
      cause,
      retryable: true,
    });
  } finally {
    server?.close();
  }
}

/** The first that connects: the folder lets in QEMU alone. @throws WARMVM_HOST_OPERATION when it does not in time */
async function accept(server: Server, { clock, timeoutMs, signal }: TakeOverOptions): Promise<Socket> {
  const over = new AbortController();
  const own = AbortSignal.any(signal === undefined ? [over.signal] : [over.signal, signal]);
  const late = sleep(clock, timeoutMs, own).then(() => {
    throw new WarmvmError('WARMVM_HOST_OPERATION', `QEMU did not connect its agent within ${timeoutMs} ms`, {
      retryable: true,
      details: { timeoutMs },
    });
  });
  try {
    const [agent] = await Promise.race([once(server, 'connection') as Promise<[Socket]>, late]);
    agent.on('error', () => {});
    return agent;
  } finally {
    over.abort();
    late.catch(() => {});
  }
}

async function requireRunning(qemu: Qemu, options: QemuCallOptions): Promise<void> {
  const answer = (await qemu.execute('query-status', options)) as { readonly status?: unknown };
  const { state, reason } = stateOfStatus(answer.status);
  if (state === 'running') return qemu.observe({ state, reason });
  const code = state === 'crashed' ? 'WARMVM_MACHINE_CRASHED' : 'WARMVM_NOT_READY';
  throw new WarmvmError(code, `the machine is ${state}: ${reason}`, { details: { state, expected: 'running' } });
}

async function reach({ directory, socket }: HeirPlan, options: QemuCallOptions): Promise<Socket> {
  try {
    return await connectIn(directory, socket, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new WarmvmError('WARMVM_MACHINE_GONE', 'no QEMU listens where the machine was', {
      cause,
      details: { directory, socket },
    });
  }
}
