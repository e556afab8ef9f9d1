import { createSshDialer, type SshWay } from '@warmvm/driver-libvirt-ssh';
import { type Client, type DomainRef, openClient } from '@warmvm/libvirt';
import { DisposeStack, startPrivateSshd } from '@warmvm/local-host';
import { alternate } from '../alternate.ts';
import { Recorder } from '../measure/recorder.ts';
import { percentile } from '../statistics/percentile.ts';
import { type HostSuite, hostWith, type SuiteContext } from '../suite.ts';

/** Calls in one block; variants take turns block by block. */
const BLOCK = 200;
const WARM_UP_BLOCKS = 4;
const LOCAL = 'get-state, local socket';
const WAYS: readonly SshWay[] = ['streamlocal', 'helper', 'netcat'];
const over = (way: SshWay): string => `get-state, ssh ${way}`;
const blockOf = (name: string): string => `p50 of a block, ${name}`;

/** The client over ssh to this very computer, beside the same client over the local socket: what ssh itself costs, without a network. */
export const rpcSshSuite: HostSuite = {
  name: 'rpc-ssh',
  what: 'get-state through the libvirt client over a real sshd on loopback, by each way, and over the local socket, interleaved, on test:///default',
  defaultSamples: 4_000,
  simulated: false,
  needs: ['libvirtSocket', 'canStartSshd'],
  async run(context, anyHost) {
    const { libvirtSocket } = hostWith(anyHost, 'libvirtSocket');
    const { recorder, signal, rounds } = context;
    const stack = new DisposeStack();
    try {
      const local = stack.use(await openClient({ uri: `test:///default?socket=${libvirtSocket}`, signal }));
      const { dom } = await local.call('domainLookupByName', { name: 'test' }, { signal });
      const sshd = stack.use(await startPrivateSshd());
      const variants: (readonly [name: string, client: Client])[] = [[LOCAL, local]];
      for (const way of WAYS) {
        // The helper finds the socket itself: the system's, which is this one where nobody has named another.
        const socketPath = way === 'helper' ? {} : { socketPath: libvirtSocket };
        const { host, port, ...options } = sshd.options;
        const dialer = stack.use(createSshDialer({ ...options, host, port, ...socketPath, way }));
        const uri = 'test:///default';
        variants.push([over(way), stack.use(await openClient({ uri, dial: dialer.dial, signal }))]);
      }
      recorder.fact('block', `${BLOCK} calls; blocks take turns`);
      const blocks = Math.ceil(context.samples / BLOCK);
      for (let block = 1 - WARM_UP_BLOCKS; block <= blocks; block += 1) {
        signal.throwIfAborted();
        const round = block > 0 ? context : { ...context, recorder: new Recorder() };
        await alternate(
          block,
          variants.map(
            ([name, client]) =>
              () =>
                sequential(round, name, client, dom),
          ),
        );
        if (block > 0) rounds(block, blocks);
      }
    } finally {
      await stack[Symbol.asyncDispose]();
    }
    recorder.group('get-state', [LOCAL, ...WAYS.map(over)]);
    for (const way of WAYS)
      recorder.pairedRatio(`p50 over ssh ${way} to local, by round`, blockOf(over(way)), blockOf(LOCAL));
  },
};

async function sequential(
  { clock, recorder }: SuiteContext,
  name: string,
  client: Client,
  dom: DomainRef,
): Promise<void> {
  const samples: number[] = [];
  for (let call = 0; call < BLOCK; call += 1) {
    const startedAt = clock.now();
    await client.call('domainGetState', { dom, flags: 0 });
    samples.push(clock.now() - startedAt);
  }
  for (const sample of samples) recorder.add(name, sample);
  recorder.add(blockOf(name), percentile(samples, 0.5));
}
