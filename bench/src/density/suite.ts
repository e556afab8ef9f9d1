import { createPool } from '@warmvm/core';
import { proportionalBytes } from '../host/hypervisor-process.ts';
import { type HostSuite, hostWith } from '../suite.ts';

const MACHINES = 4;
const FIGURE = 'memory of an idle ready machine';

/** Memory of machines that lie ready, each with its share of what they share. */
export const densitySuite: HostSuite = {
  name: 'density',
  what: `proportional memory (Pss) of each of ${MACHINES} idle ready machines`,
  defaultSamples: 20,
  simulated: false,
  needs: ['processOf'],
  async run({ clock, signal, samples, recorder, rounds }, anyHost) {
    const host = hostWith(anyHost, 'processOf');
    const driver = await host.driver();
    const image = await host.image();
    const fills = Math.ceil(samples / MACHINES);
    try {
      for (let fill = 1; fill <= fills; fill += 1) {
        const options = { driver, image, name: 'bench-density', minReady: MACHINES, max: MACHINES, clock };
        const pool = createPool(options);
        try {
          await pool.ready({ signal });
          for (const { id, kind } of await driver.list({ pool: 'bench-density' }, { signal })) {
            if (kind === 'machine')
              recorder.add(FIGURE, await proportionalBytes(await host.processOf({ id })), 'bytes');
          }
        } finally {
          await pool.close({ graceMs: 0 });
        }
        rounds(fill, fills);
      }
    } finally {
      await driver[Symbol.asyncDispose]();
    }
    recorder.fact('memory of a machine', `${image.memoryBytes / 2 ** 20} MiB`);
    recorder.fact('not counted', 'pages of files in the page cache that no process maps, and the pool itself');
  },
};
