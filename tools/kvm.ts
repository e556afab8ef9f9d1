// KVM where the host has none: `pnpm kvm` makes a Debian computer under emulation whose processor can virtualise, and in it runs `doctor`, the main job
// and the conformance kits of both drivers on KVM. By hand or nightly: it takes an hour or two, and needs root and a quiet computer. What the commands
// print and the kits' reports go to a folder. `--only doctor,start-qemu,start-libvirt,qemu,libvirt` chooses, `--time-factor 20` stretches the kits' times.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemCommandRunner } from '../packages/local-host/src/command-runner.ts';
import { ensurePackages } from '../packages/local-host/src/packages.ts';
import { KvmComputer } from './lib/kvm-computer.ts';
import { type KvmDisk, kvmDisk } from './lib/kvm-disk.ts';

/** One thing that is run in the computer. */
interface Step {
  readonly name: string;
  readonly words: string;
  readonly timeoutMs: number;
  /** What the output must say, over an exit code of 0. */
  readonly expect?: RegExp;
  /** A report that it writes. */
  readonly report?: string;
}

const MINUTE_MS = 60_000;
const WARMVM =
  'cd /root && export NODE_COMPILE_CACHE=/root/cache && exec node /opt/warmvm/node_modules/warmvm/dist/main.js';
/** A computer that hangs is started again, once for each step. */
const TRIES = 2;

function stepsFor(timeFactor: string): readonly Step[] {
  const kit = (driver: string, minutes: number): Step => ({
    name: driver,
    words: `${WARMVM} kit --driver ${driver} --time-factor ${timeFactor} --report /root/${driver}.json`,
    timeoutMs: minutes * MINUTE_MS,
    report: `/root/${driver}.json`,
  });
  const start = (driver: string): Step => ({
    name: `start-${driver}`,
    words: `${WARMVM} start --driver ${driver} --samples 2`,
    timeoutMs: 15 * MINUTE_MS,
    expect: /kvm/,
  });
  return [
    { name: 'doctor', words: `${WARMVM} doctor`, timeoutMs: 5 * MINUTE_MS, expect: /KVM: .*opens/ },
    start('qemu'),
    start('libvirt'),
    kit('qemu', 45),
    kit('libvirt', 75),
  ];
}

const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);

/** Runs a step in a computer that stays for the next one, or in a new one where that hangs. */
async function runStep(step: Step, computers: Computers, folder: string, signal: AbortSignal): Promise<boolean> {
  for (let turn = 1; turn <= TRIES; turn += 1) {
    const computer = await computers.get();
    say(`${step.name}: ${step.words}`);
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      say(`  ${line}`);
    };
    const { exitCode } = await computer.run(step.words, { timeoutMs: step.timeoutMs, signal, onLine });
    signal.throwIfAborted();
    const text = `${lines.join('\n')}\n`;
    await writeFile(join(folder, `${step.name}.log`), text);
    if (step.report !== undefined) {
      const report = await computer.read(step.report, signal).catch(() => undefined);
      if (report !== undefined) await writeFile(join(folder, `${step.name}.json`), report);
    }
    if (exitCode === 0 && (step.expect?.test(text) ?? true)) return true;
    say(`${step.name}: exit code ${exitCode}, try ${turn} of ${TRIES}`);
    // ssh ends with 255 when the computer no longer answers, and a command out of time is ended by a signal: both may be a hang of emulation.
    if (exitCode !== 255 && exitCode !== 1) return false;
    await computers.renew();
  }
  return false;
}

/** The one computer that runs at a time. */
class Computers implements AsyncDisposable {
  readonly #disk: KvmDisk;
  readonly #signal: AbortSignal;
  #computer: KvmComputer | undefined;

  constructor(disk: KvmDisk, signal: AbortSignal) {
    this.#disk = disk;
    this.#signal = signal;
  }

  async get(): Promise<KvmComputer> {
    this.#computer ??= await KvmComputer.boot(this.#disk, say, this.#signal);
    return this.#computer;
  }

  async renew(): Promise<void> {
    const computer = this.#computer;
    this.#computer = undefined;
    await computer?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.renew();
  }
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    'time-factor': { type: 'string', default: '20' },
    folder: { type: 'string', default: 'kvm-reports' },
  },
});
const steps = stepsFor(values['time-factor']);
const wanted = values.only?.split(',') ?? steps.map(({ name }) => name);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0)
  throw new RangeError(`--only takes ${steps.map(({ name }) => name).join(', ')}; got ${unknown.join(', ')}`);

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => controller.abort(new Error(`interrupted by ${name}`)));
const { signal } = controller;
await mkdir(values.folder, { recursive: true });
await ensurePackages({
  runner: systemCommandRunner,
  onProgress: say,
  signal,
  packages: ['mmdebstrap', 'e2fsprogs', 'openssh-client'],
});
const computers = new Computers(await kvmDisk(say, signal), signal);
const failed: string[] = [];
try {
  for (const step of steps.filter(({ name }) => wanted.includes(name))) {
    if (!(await runStep(step, computers, values.folder, signal))) failed.push(step.name);
  }
} finally {
  await computers[Symbol.asyncDispose]();
}
say(`reports and output are in ${values.folder}`);
console.log(
  `${wanted.length - failed.length} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
