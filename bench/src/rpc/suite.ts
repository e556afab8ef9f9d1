import { type Client, type DomainRef, openClient } from '@warmvm/libvirt';
import { DisposeStack } from '@warmvm/local-host';
import { alternate } from '../alternate.ts';
import { Recorder } from '../measure/recorder.ts';
import { percentile } from '../statistics/percentile.ts';
import { type HostSuite, hostWith, type SuiteContext } from '../suite.ts';
import { type PythonPeer, startPythonPeer } from './python-peer.ts';

/** Calls in one block; variants take turns block by block. */
const BLOCK = 500;
const WARM_UP_BLOCKS = 4;
/** A daemon stops reading from a connection at 5 requests, so 4 is what a client can have in flight. */
const IN_FLIGHT = 4;
const OURS = 'get-state';
const PYTHON = 'get-state, python-libvirt';
const OURS_BLOCK = 'p50 of a block';
const PYTHON_BLOCK = 'p50 of a block, python-libvirt';

const PYTHON_THREADS = '4 threads, python-libvirt';

/** The client alone: get-state of a domain of libvirt's test driver, beside python-libvirt on the same daemon. */
export const rpcSuite: HostSuite = {
  name: 'rpc',
  what: 'get-state through the libvirt client and through python-libvirt, interleaved, on test:///default',
  defaultSamples: 10_000,
  simulated: false,
  needs: ['libvirtSocket'],
  async run(context, anyHost) {
    const host = hostWith(anyHost, 'libvirtSocket');
    const { recorder, signal, rounds } = context;
    const stack = new DisposeStack();
    try {
      const client = stack.use(await openClient({ uri: `test:///default?socket=${host.libvirtSocket}`, signal }));
      const { dom } = await client.call('domainLookupByName', { name: 'test' }, { signal });
      const peer = stack.use(await startPythonPeer(`test+unix:///default?socket=${host.libvirtSocket}`, signal));
      recorder.fact('peer', peer.version);
      recorder.fact('block', `${BLOCK} calls; blocks take turns`);
      const blocks = Math.ceil(context.samples / BLOCK);
      for (let block = 1 - WARM_UP_BLOCKS; block <= blocks; block += 1) {
        signal.throwIfAborted();
        const round = block > 0 ? context : { ...context, recorder: new Recorder() };
        await alternate(block, [
          () => sequential(round, client, dom),
          () => python(round, peer),
          () => concurrent(round, client, dom),
          () => pythonThreads(round, peer),
        ]);
        if (block > 0) rounds(block, blocks);
      }
    } finally {
      await stack[Symbol.asyncDispose]();
    }
    recorder.group('get-state', [OURS, PYTHON]);
    // Whether daemon and client share a CPU changes from round to round, and a call by more than twice.
    recorder.pairedRatio('p50 to python-libvirt, by round', OURS_BLOCK, PYTHON_BLOCK);
    recorder.pairedRatio('4 in flight to 1, by round', '4 in flight', '1 in flight');
    // What a daemon on the same processors allows at all: the other client's threads wait for the same worker threads of it.
    recorder.pairedRatio('4 in flight to 4 threads of python-libvirt, by round', '4 in flight', PYTHON_THREADS);
    recorder.pairedRatio('4 threads of python-libvirt to 1, by round', PYTHON_THREADS, '1 in flight, python-libvirt');
    recorder.ratio('p50 to python-libvirt, all calls', OURS, PYTHON);
    recorder.ratio('4 in flight to 1, all blocks', '4 in flight', '1 in flight');
  },
};

/** Without a signal: python-libvirt has none either. */
async function sequential({ clock, recorder }: SuiteContext, client: Client, dom: DomainRef): Promise<void> {
  const samples: number[] = [];
  for (let call = 0; call < BLOCK; call += 1) {
    const startedAt = clock.now();
    await client.call('domainGetState', { dom, flags: 0 });
    samples.push(clock.now() - startedAt);
  }
  for (const sample of samples) recorder.add(OURS, sample);
  recorder.add(OURS_BLOCK, percentile(samples, 0.5));
  recorder.add('1 in flight', callsPerSecond(samples), 'calls/s');
}

async function python({ recorder }: SuiteContext, peer: PythonPeer): Promise<void> {
  const samples = await peer.block(BLOCK);
  for (const sample of samples) recorder.add(PYTHON, sample);
  recorder.add(PYTHON_BLOCK, percentile(samples, 0.5));
  recorder.add('1 in flight, python-libvirt', callsPerSecond(samples), 'calls/s');
}

async function pythonThreads({ recorder }: SuiteContext, peer: PythonPeer): Promise<void> {
  recorder.add(PYTHON_THREADS, (BLOCK * 1000) / (await peer.atOnce(BLOCK, IN_FLIGHT)), 'calls/s');
}

function callsPerSecond(samples: readonly number[]): number {
  return (samples.length * 1000) / samples.reduce((total, sample) => total + sample, 0);
}

async function concurrent({ clock, recorder }: SuiteContext, client: Client, dom: DomainRef): Promise<void> {
  let left = BLOCK;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await client.call('domainGetState', { dom, flags: 0 });
    }
  };
  const startedAt = clock.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  recorder.add('4 in flight', (BLOCK * 1000) / (clock.now() - startedAt), 'calls/s');
}
