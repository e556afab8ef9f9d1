import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { openFakeHost } from '../host/fake-host.ts';
import { Recorder } from '../measure/recorder.ts';
import type { Recording } from '../result/suite-result.ts';
import { builtCli } from './cli.ts';
import { createRunSuite } from './suite.ts';

const MAIN = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
const fromSources = async (): Promise<readonly [string, ...string[]]> => [
  process.execPath,
  '--conditions=@warmvm/source',
  '--no-warnings',
  MAIN,
];

async function run(choice: { use: string; options: Readonly<Record<string, unknown>> }): Promise<Recording> {
  const recorder = new Recorder();
  const nothing = (): void => {};
  const { signal } = new AbortController();
  const context = { clock: systemClock, signal, samples: 2, recorder, say: nothing, rounds: nothing };
  await createRunSuite(fromSources).run(context, { ...openFakeHost(systemClock), choice });
  return recorder.result();
}

describe('run, on the fake and in real processes', () => {
  test('takes whole commands apart: node, what the command tells of itself, and the rest', {
    timeout: 120_000,
  }, async () => {
    const { figures, ladders } = await run({ use: 'fake', options: {} });
    const of = (name: string): readonly number[] => figures[name]!.samples;
    const parts = Object.entries(figures).filter(([, { group }]) => group?.startsWith('where the time'));
    const sums = [0, 1].map(
      (index) => parts.reduce((sum, [, { samples }]) => sum + samples[index]!, 0) + of('node -e 0')[index]!,
    );
    expect(of('warmvm run --no-pool')).toHaveLength(2);
    for (const [index, whole] of of('warmvm run, from a kept pool').entries()) {
      expect(sums[index]).toBeCloseTo(whole, 0);
      expect(of('ours: run from a kept pool, less the start of node')[index]).toBeCloseTo(
        whole - of('node -e 0')[index]!,
        0,
      );
    }
    expect(of('command').every((durationMs) => durationMs > 0)).toBe(true);
    expect(Object.keys(ladders)).toEqual(['warmvm run, from a kept pool']);
  });

  test('ends with what the pool said when there is none to be had', async () => {
    await expect(run({ use: 'nonesuch', options: {} })).rejects.toThrow('there is no driver "nonesuch"');
  });
});

describe('the command line of a checkout', () => {
  test('is built before it is measured, and a build that fails says why', async () => {
    const commands: string[] = [];
    const runner = (exitCode: number) => ({
      async run(command: readonly string[]) {
        commands.push(command.join(' '));
        return { exitCode, output: 'no such type' };
      },
    });
    const { signal } = new AbortController();
    const [node, main] = await builtCli(signal, () => {}, runner(0));
    expect(commands).toEqual([expect.stringMatching(/turbo run build --filter=warmvm/)]);
    expect([node, main]).toEqual([process.execPath, expect.stringMatching(/apps\/cli\/bin\/warmvm\.js$/)]);
    await expect(builtCli(signal, () => {}, runner(1))).rejects.toThrow('no such type');
  });
});

test('a pool that the bench keeps goes with it, also when that is killed', async () => {
  const source = new URL('./kept-pool.ts', import.meta.url).href;
  const script = `const { startKeptPool } = await import(${JSON.stringify(source)});
    const { systemClock } = await import('@warmvm/core');
    const scene = { clock: systemClock, signal: new AbortController().signal };
    const pool = await startKeptPool(${JSON.stringify(await fromSources())}, { use: 'fake', options: {} }, 'killed', scene);
    console.log(pool.environment.XDG_RUNTIME_DIR);
    setInterval(() => {}, 1e6);`;
  const flags = ['--conditions=@warmvm/source', '--no-warnings', '--input-type=module', '-e', script];
  const folderOfThis = fileURLToPath(new URL('.', import.meta.url));
  const bench = spawn(process.execPath, flags, { cwd: folderOfThis, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(bench.stdout, 'data')) as [Buffer];
  const folder = said.toString().trim();
  const sockets = () => readdir(join(folder, 'warmvm'));
  expect(await sockets()).toEqual(['killed.sock']);
  bench.kill('SIGKILL');
  // The pool takes its socket away when its machines are gone.
  await expect.poll(sockets, { timeout: 20_000 }).toEqual([]);
  await rm(folder, { recursive: true });
});
