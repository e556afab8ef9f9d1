import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { type Clock, WarmvmError } from '@warmvm/core/driver';
import type { QmpEvent } from '../qmp/message.ts';
import { listenForQemu } from './private-socket.ts';
import { type Qemu, type QemuCallOptions, tooLate } from './qemu.ts';

/** The memory stays in its file, mapped by template and forks alike; only devices are saved. Events spare us polling. */
const CAPABILITIES: Readonly<Record<string, unknown>> = {
  capabilities: [
    { capability: 'x-ignore-shared', state: true },
    { capability: 'events', state: true },
  ],
};

/** The card would have its guest announce the template's address, to which others would answer when it has gone. */
const NO_ANNOUNCEMENTS: Readonly<Record<string, unknown>> = { 'announce-rounds': 0 };

/** A machine of 2 CPUs and 6 devices has 0.4 MB; one this long is none that we know of. */
const LONGEST_STATE_BYTES: number = 64 * 2 ** 20;

/** Name of the socket through which QEMU hands its state over. */
const STATE_SOCKET = 's';

/** A device state that is about to be loaded. */
export interface Loading {
  /** QEMU waits for the state: everything that can be done ahead has been. */
  readonly listening: Promise<void>;
  /** Gives it the state; the machine is paused then. @throws as {@link Qemu.event} does, and WARMVM_HOST_OPERATION when QEMU refuses the state */
  load(state: Uint8Array, options: QemuCallOptions): Promise<void>;
}

/**
 * Has a QEMU that was started with `-incoming defer` wait for its state on the descriptor. All commands go out at once, before QEMU
 * has greeted: no round trip lies between its start and the load.
 */
export function beginLoading(
  qemu: Qemu,
  descriptor: number,
  socket: NodeJS.WritableStream,
  options: QemuCallOptions,
): Loading {
  const listening = Promise.all([
    qemu.execute('qmp_capabilities', options),
    qemu.execute('migrate-set-capabilities', options, CAPABILITIES),
    qemu.execute('migrate-set-parameters', options, NO_ANNOUNCEMENTS),
    qemu.execute('migrate-incoming', options, { uri: `fd:${descriptor}` }),
  ]).then(() => {});
  listening.catch(() => {});
  return {
    listening,
    async load(state, limits) {
      const loaded = qemu.event(isMigrationOver, 'load its state', limits);
      loaded.catch(() => {});
      socket.end(state);
      await listening;
      const { data } = await loaded;
      if (data.status !== 'completed') throw refusedState(data);
    },
  };
}

/** Lets a machine run that is paused. Resolves when QEMU says that it does. */
export async function resume(qemu: Qemu, options: QemuCallOptions): Promise<void> {
  const resumed = qemu.event(({ event }) => event === 'RESUME', 'resume', options);
  resumed.catch(() => {});
  await qemu.execute('cont', options);
  await resumed;
}

/**
 * Stops a machine and takes its device state, through a socket in the folder that QEMU runs in, which is gone afterwards. The machine
 * is good for nothing but its end then: its memory file must not change any more.
 */
export async function saveState(qemu: Qemu, directory: string, options: QemuCallOptions): Promise<Buffer> {
  await qemu.execute('stop', options);
  await qemu.execute('migrate-set-capabilities', options, CAPABILITIES);
  const abort = new AbortController();
  const server = await listenForQemu(directory, STATE_SOCKET);
  try {
    const received = receive(server, abort.signal);
    received.catch(() => {});
    const over = qemu.event(isMigrationOver, 'save its state', options);
    over.catch(() => {});
    await qemu.execute('migrate', options, { uri: `unix:${STATE_SOCKET}` });
    const { data } = await over;
    if (data.status !== 'completed') throw refusedState(data);
    // QEMU says that it is done before the last bytes are here. One that then sends nothing more keeps nobody waiting.
    return await within(received, options, qemu.clock, () =>
      tooLate('send its state', options.timeoutMs, options.option),
    );
  } finally {
    abort.abort();
    server.close();
  }
}

/** @param signal ends it, and its connection */
async function receive(server: Server, signal: AbortSignal): Promise<Buffer> {
  const [socket] = (await once(server, 'connection', { signal })) as [Socket];
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LONGEST_STATE_BYTES) throw new WarmvmError('WARMVM_HOST_PROTOCOL', 'the device state has no end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws the signal's reason, or what `late` makes when the time is over */
function within<Result>(
  work: Promise<Result>,
  { signal, timeoutMs }: QemuCallOptions,
  clock: Clock,
  late: () => WarmvmError,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => reject(late()), timeoutMs);
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    });
  });
}

function isMigrationOver({ event, data }: QmpEvent): boolean {
  return event === 'MIGRATION' && (data.status === 'completed' || data.status === 'failed');
}

function refusedState(data: QmpEvent['data']): WarmvmError {
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `QEMU could not carry the device state over: ${String(data.status)}`,
    {
      details: { status: String(data.status) },
    },
  );
}
