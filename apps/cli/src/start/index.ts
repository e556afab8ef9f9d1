import { writeFile } from 'node:fs/promises';
import { percentile } from '@warmvm/bench';
import { systemClock } from '@warmvm/core';
import { describeEnvironment, requireWritable } from '@warmvm/local-host';
import { Listr } from 'listr2';
import { containmentText } from '../containment-text.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { chooseScene, type SceneChoice } from './choose-scene.ts';
import { fakeScene } from './fake-scene.ts';
import { compareFigures } from './figures.ts';
import { Job, POOL_SIZE, type Say } from './job.ts';
import { libvirtScene } from './libvirt-scene.ts';
import { libvirtSshScene } from './libvirt-ssh-scene.ts';
import type { StartOptions } from './options.ts';
import { qemuScene } from './qemu-scene.ts';
import { reportTable, type StartReport } from './report.ts';
import type { Scene, SceneOptions } from './scene.ts';
import { takeTurn } from './turn.ts';

/** Where the machines are, after "real virtual machines". */
const PLACES = {
  qemu: 'on QEMU itself',
  libvirt: 'over libvirt',
  'libvirt-ssh': 'over libvirt on another computer',
} as const satisfies Partial<Record<SceneChoice['kind'], string>>;

/**
 * The main job: opens a pool on real machines where that is possible, shows and measures its life, and leaves nothing behind.
 * Resolves with the exit code: 0 when everything was proved, 1 when not, 130 when interrupted.
 */
export async function runStart(options: StartOptions, output: Output): Promise<number> {
  return runInterruptibly(output, (signal) => start(options, output, signal));
}

async function start(options: StartOptions, output: Output, signal: AbortSignal): Promise<number> {
  if (options.json !== undefined) await requireWritable('--json', options.json);
  const sayLine: Say = (text) => output.write(`  ${text}\n`);
  const choice = await chooseScene(options, sayLine, signal);
  output.write(
    choice.kind === 'fake'
      ? `warmvm start: on the embedded fake, no real machines: ${choice.why}\n`
      : `warmvm start: real virtual machines ${PLACES[choice.kind]} (${choice.why})\n`,
  );
  // The fake has no host that others could be on.
  await using _turn = choice.kind === 'fake' ? undefined : await takeTurn({ signal, say: sayLine });
  const scene = await sceneOf(choice, { signal, say: sayLine });
  let report: StartReport;
  try {
    output.write(
      `  ${scene.facts.hypervisor}; acceleration ${scene.acceleration}: ${scene.facts.accelerationReason}\n`,
    );
    output.write(`${containmentText(scene.facts.containment ?? [])}\n`);
    report = await play(scene, options, signal);
  } finally {
    await scene[Symbol.asyncDispose]();
  }
  output.write(`\n${reportTable(report.figures)}\n${closingWords(report)}\n`);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    output.write(`written to ${options.json}\n`);
  }
  const { markerAbsentAfterReset, killedMachineEvicted, leftBehind } = report.proofs;
  return markerAbsentAfterReset && killedMachineEvicted && leftBehind === 0 ? 0 : 1;
}

function sceneOf(choice: SceneChoice, options: SceneOptions): Scene | Promise<Scene> {
  switch (choice.kind) {
    case 'qemu':
      return qemuScene(options);
    case 'libvirt':
      return libvirtScene(options);
    case 'libvirt-ssh':
      return libvirtSshScene(choice.uri, options);
    case 'fake':
      return fakeScene();
  }
}

async function play(scene: Scene, options: StartOptions, signal: AbortSignal): Promise<StartReport> {
  const clock = systemClock;
  const environment = await describeEnvironment(scene.facts, clock.wallTimeMs());
  const job = new Job(scene, { clock, signal, samples: options.samples });
  const steps: readonly (readonly [title: string, run: (say: Say) => Promise<string>])[] = [
    ['fill the pool', (say) => job.fill(say)],
    ['lend a machine and dirty it', (say) => job.dirty(say)],
    ['prove that it is clean again', () => job.prove()],
    ['measure cycles', (say) => job.cycle(say)],
    ['kill machines from outside', (say) => job.detect(say)],
    ['fill a pool of five', (say) => job.fillFive(say)],
  ];
  const list = new Listr(
    steps.map(([title, run]) => ({
      title,
      task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
        task.title = `${title}: ${await run((text) => {
          task.output = text;
        })}`;
      },
    })),
    { registerSignalListeners: false, fallbackRenderer: 'simple' },
  );
  try {
    await list.run();
  } finally {
    await job.close();
  }
  const stages = job.samples.report();
  const leftBehind = await scene.leftBehind();
  return {
    schema: 1,
    driver: scene.driver.name,
    acceleration: scene.acceleration,
    environment,
    pool: POOL_SIZE,
    stages,
    figures: compareFigures(stages, scene.acceleration !== 'none'),
    ratios: ratiosOf(job),
    proofs: {
      markerAbsentAfterReset: job.markerAbsent,
      killedMachineEvicted: job.killedEvicted,
      leftBehind: leftBehind.length,
    },
    leftBehind,
  };
}

/** What one run says of itself, whatever the speed of the computer. */
function ratiosOf(job: Job): Readonly<Record<string, number>> {
  const coldBoot = job.samples.of('cold-boot')[0];
  if (coldBoot === undefined) return {};
  const against = (id: string, boots: number): number => {
    const measured = percentile(job.samples.of(id), 0.5);
    return Math.round((measured / (coldBoot * boots)) * 1000) / 1000;
  };
  return {
    'init / 5 sequential cold boots': against('init', 5),
    'init-cold / one cold boot': against('init-cold', 1),
    'boot / one cold boot': against('boot', 1),
    'reset / one cold boot': against('reset', 1),
  };
}

function closingWords({ proofs, leftBehind, ratios }: StartReport): string {
  const lines = Object.entries(ratios).map(([what, ratio]) => `  ${what}: ${ratio}`);
  lines.push(
    proofs.markerAbsentAfterReset
      ? '  proved: no marker of a tenant outlived its reset'
      : '  NOT proved: a marker outlived a reset',
  );
  lines.push(
    proofs.killedMachineEvicted ? '  proved: no killed machine was lent' : '  NOT proved: a killed machine was lent',
  );
  lines.push(leftBehind.length === 0 ? '  proved: nothing is left behind' : `  LEFT BEHIND: ${leftBehind.join(', ')}`);
  return lines.join('\n');
}
