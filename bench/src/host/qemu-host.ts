import { tmpdir } from 'node:os';
import { buildTinyImage } from '@warmvm/guest-image';
import { SUBJECTS } from 'warmvm/measure';
import { type BenchHost, LARGE_MEMORY_BYTES, USUAL_MEMORY_BYTES } from './bench-host.ts';
import { qemuOf } from './hypervisor-process.ts';
import { startProcessWatch } from './process-watch.ts';
import { type HostRequest, openSubjectHost } from './subject-host.ts';

/** QEMU of this computer, in a state folder of its own: the subject of the kit, and what can be seen of local processes. */
export async function openQemuHost(request: HostRequest): Promise<BenchHost> {
  const { signal, clock } = request;
  const host = await openSubjectHost('qemu', await SUBJECTS.qemu!(), request);
  const watch = startProcessWatch(clock);
  return {
    ...host,
    facts: { ...host.facts, subreaper: 'none needed', storage: tmpdir() },
    memorySizes: [USUAL_MEMORY_BYTES, LARGE_MEMORY_BYTES],
    image: (memoryBytes = USUAL_MEMORY_BYTES) => buildTinyImage({ signal, memoryBytes }),
    crash: async (machine) => watch.kill(await qemuOf(machine)),
    processOf: qemuOf,
    driverTellsRunning: true,
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}
