import { WarmvmError } from '@warmvm/core';
import { openClient } from '@warmvm/libvirt';
import { type HostSuite, hostWith } from '../suite.ts';

const COUNT = 10;
const WARM_UP = 50;

/** Snapshots of one domain of libvirt's test driver, listed. */
export const listSuite: HostSuite = {
  name: 'list',
  what: `the list of ${COUNT} snapshots of one domain, on test:///default`,
  defaultSamples: 500,
  simulated: false,
  needs: ['libvirtSocket'],
  async run({ clock, samples, signal, recorder }, anyHost) {
    const host = hostWith(anyHost, 'libvirtSocket');
    const client = await openClient({ uri: `test:///default?socket=${host.libvirtSocket}`, signal });
    try {
      const { dom } = await client.call('domainLookupByName', { name: 'test' }, { signal });
      const list = async (): Promise<number> => {
        const args = { dom, needResults: 1, flags: 0 };
        return (await client.call('domainListAllSnapshots', args, { signal })).snapshots.length;
      };
      for (let made = await list(); made < COUNT; made += 1) {
        const xmlDesc = `<domainsnapshot><name>bench-${made}</name></domainsnapshot>`;
        await client.call('domainSnapshotCreateXml', { dom, xmlDesc, flags: 0 }, { signal });
      }
      for (let count = -WARM_UP; count < samples; count += 1) {
        const startedAt = clock.now();
        const found = await list();
        const durationMs = clock.now() - startedAt;
        if (found !== COUNT) throw new WarmvmError('WARMVM_HOST_OPERATION', `${found} snapshots, expected ${COUNT}`);
        if (count >= 0) recorder.add('list 10 snapshots', durationMs);
      }
    } finally {
      await client.close();
    }
  },
};
