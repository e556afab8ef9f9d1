import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { SUBJECTS } from '@warmvm/local-host';
import { type BenchHost, LARGE_MEMORY_BYTES, USUAL_MEMORY_BYTES } from './bench-host.ts';
import { qemuOf } from './hypervisor-process.ts';
import { startProcessWatch } from './process-watch.ts';
import { type HostRequest, openSubjectHost } from './subject-host.ts';

/** With processes that wait, so that a reset only lets one run. */
const STANDBY = 'standby';
const WAITING = 2;
/** A slow answer is a sample, not the end of the run: emulated guests on a busy computer take seconds. */
const PATIENCE = { clockToleranceMs: 1_000, agentTimeoutMs: 60_000 } as const;

/** QEMU of this computer, in state folders of its own: the subject of the kit, and what can be seen of local processes. */
export async function openQemuHost(request: HostRequest): Promise<BenchHost> {
  const { signal, clock } = request;
  const host = await openSubjectHost('qemu', await SUBJECTS.qemu!(), request);
  const watch = startProcessWatch(clock);
  // Short: sockets lie in it.
  const stateDirectory = await mkdtemp(join(tmpdir(), 'wb-'));
  return {
    ...host,
    facts: { ...host.facts, subreaper: 'none needed', storage: tmpdir() },
    ways: [...host.ways, STANDBY],
    memorySizes: [USUAL_MEMORY_BYTES, LARGE_MEMORY_BYTES],
    image: (memoryBytes = USUAL_MEMORY_BYTES) => buildTinyImage({ signal, memoryBytes }),
    driver: async (way) =>
      way === STANDBY
        ? createQemuDriver({ stateDirectory, standby: WAITING, clock, ...PATIENCE })
        : await host.driver(),
    crash: async (machine) => watch.kill(await qemuOf(machine)),
    processOf: qemuOf,
    driverTellsRunning: true,
    choice: { use: 'qemu', options: { stateDirectory } },
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
