// #region subject
import type { GoldenImage } from '@warmvm/core/driver';
import type { OpenSubject } from '@warmvm/driver-testkit';
import { createShoeboxDriver } from './driver.ts';
import { Shoebox } from './hypervisor.ts';

const goldenImage: GoldenImage = {
  name: 'shoe',
  digest: `sha256:${'5a'.repeat(32)}`,
  architecture: 'x86_64',
  boot: {
    kind: 'disk',
    disk: { path: '/nonexistent/shoe.raw', digest: `sha256:${'5b'.repeat(32)}`, sizeBytes: 1024 },
    format: 'raw',
    diskBytes: 1024,
  },
  memoryBytes: 2 ** 26,
  virtualCpus: 1,
  network: 'none',
  renewal: { command: '/usr/lib/warmvm/renew' },
};

export function kitSubject(): OpenSubject {
  const shoebox = new Shoebox();
  return {
    name: 'shoebox',
    version: '1.0.0',
    create: async () => createShoeboxDriver({ shoebox }),
    goldenImage,
    hostObjects: async () => [...shoebox.vms.values()].map(({ name, power }) => `${name} ${power}`),
    killMachine: async ({ id }) => {
      shoebox.vms.set(id, { ...shoebox.vms.get(id)!, power: 'dead' });
    },
    loseHost: async () => {
      shoebox.plugged = false;
      return {
        [Symbol.asyncDispose]: async () => {
          shoebox.plugged = true;
        },
      };
    },
    injectFault: async (fault, machine) => {
      // No events: this hypervisor has none, and the manifest says so.
      const call = { destroy: 'stop', state: 'power', adopt: 'annotate', prepare: 'define', events: '' }[fault];
      const refused = machine === undefined ? call : `${call} ${machine.id}`;
      shoebox.refused.add(refused);
      return { [Symbol.asyncDispose]: async () => void shoebox.refused.delete(refused) };
    },
    timeScale: 0.2,
  };
}
// #endregion
