import { createPool, type Guest, sleep } from '@warmvm/core';
import { isSimulated } from '../host/bench-host.ts';
import { removeAll } from '../init/cold-boot.ts';
import type { Recorder } from '../measure/recorder.ts';
import { percentile } from '../statistics/percentile.ts';
import { seededIndex } from '../statistics/random.ts';
import type { HostSuite, SuiteContext } from '../suite.ts';
import { converse, type Echo } from './conversation.ts';
import { askGuestTime, closerOf } from './guest-time.ts';

const POOL = 'bench-stream';
/** Lines of one program; then another is started. */
const BLOCK = 10;
/** Pauses between lines, so that they meet whoever looks for output at every point of his turn, the slowest too. */
const PAUSE_MS = 150;
const PAUSE_SPREAD_MS = 300;
const SEED = 100;

const ALONE = 'line, there and back';
const BESIDE = 'line, 1 MB/s beside it';
const CLOCK = 'by the guest’s clock';

/** What else is written meanwhile, in one piece so often; the shell's own work makes each turn longer than its pause. */
const FLOOD_FILE = '/tmp/flood';
const FLOOD_BYTES = 128 * 1024;
const FLOOD_PAUSE_S = 0.1;
/** With the time at which it is written, where the shell knows it. */
const ANSWER = 'while read -r line; do echo "$line $EPOCHREALTIME"; done';
const FLOOD = `while :; do cat ${FLOOD_FILE}; sleep ${FLOOD_PAUSE_S}; done`;

/** How late the output of a running program is. */
export const streamSuite: HostSuite = {
  name: 'stream',
  what: 'a line of a running program, until its caller has it: alone, and with 1 MB/s of other output of the program',
  defaultSamples: 100,
  simulated: false,
  needs: [],
  async run(context, host) {
    const { clock, samples, signal, recorder, rounds } = context;
    const isQuiet = isSimulated(host);
    const rates: number[] = [];
    const driver = await host.driver();
    try {
      const pool = createPool({ driver, image: await host.image(), name: POOL, minReady: 1, max: 1, clock });
      try {
        await pool.ready({ signal });
        const { guest } = await pool.acquire({ signal, leaseMs: 2 ** 31 - 1 });
        if (!isQuiet) await guest.writeFile(FLOOD_FILE, `${'.'.repeat(127)}\n`.repeat(FLOOD_BYTES / 128), { signal });
        const blocks = Math.ceil(samples / BLOCK);
        // Block 0 is warm-up.
        for (let block = 0; block <= blocks; block += 1) {
          const counted = block > 0 ? recorder : undefined;
          await lines(context, guest, ALONE, isQuiet ? ['cat'] : ['sh', '-c', ANSWER], counted, block);
          if (!isQuiet) {
            const command = ['sh', '-c', `${FLOOD} & flood=$!; ${ANSWER}; kill $flood`];
            const rate = await lines(context, guest, BESIDE, command, counted, block);
            if (block > 0) rates.push(rate);
          }
          if (block > 0) rounds(block, blocks);
        }
      } finally {
        await pool.close({ graceMs: 0 });
      }
      await removeAll(driver, POOL, signal);
    } finally {
      await driver[Symbol.asyncDispose]();
    }
    if (isQuiet) recorder.caveat('Guests are simulated and have no shell: nothing is written beside the lines.');
    else tellRate(recorder, percentile(rates, 0.5));
    recorder.fact(
      'there and back',
      'from handing a line to the program’s input until the same line came out: an upper bound of the delay',
    );
  },
};

function tellRate(recorder: Recorder, bytesPerSecond: number): void {
  const megabytes = (bytesPerSecond / 1e6).toFixed(2);
  recorder.fact('output beside it', `${megabytes} MB/s`);
  if (bytesPerSecond < 0.95e6) recorder.caveat(`The guest wrote only ${megabytes} MB/s beside the lines.`);
}

/** One program that is told some lines. Resolves with the bytes that it wrote in a second. */
async function lines(
  { clock, signal }: SuiteContext,
  guest: Guest,
  figure: string,
  command: readonly string[],
  counted: Recorder | undefined,
  block: number,
): Promise<number> {
  const random = seededIndex(SEED + block);
  const talk = async (say: () => Promise<Echo>): Promise<void> => {
    // The first line also waits for the program to begin.
    await say();
    for (let line = 0; line < BLOCK; line += 1) {
      const before = await askGuestTime(guest, clock, signal);
      await sleep(clock, PAUSE_MS + random(PAUSE_SPREAD_MS), signal);
      const { saidAt, heardAt, writtenAtGuestMs } = await say();
      const { offsetMs, withinMs } = closerOf(before, await askGuestTime(guest, clock, signal));
      counted?.add(figure, heardAt - saidAt);
      if (writtenAtGuestMs === undefined) continue;
      counted?.add(`${figure}, ${CLOCK}`, heardAt - (writtenAtGuestMs - offsetMs));
      counted?.add('what the guest’s clock may be wrong by', withinMs);
    }
  };
  const { bytes, durationMs } = await converse(guest, { command, clock, signal, talk });
  return bytes / (durationMs / 1000);
}
