import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runtimePlace } from '../kept-pool/fixtures/kept-pool.ts';
import { takeTurn } from './turn.ts';

const never = new AbortController().signal;

test('turns are taken one after the other, and who has to wait is told once', async () => {
  await using runtime = await runtimePlace();
  const order: string[] = [];
  const play = async (name: string): Promise<void> => {
    const options = { signal: never, say: (text: string) => order.push(`${name}: ${text.split(':')[0]}`) };
    await using _turn = await takeTurn(options, runtime.place);
    order.push(`${name} begins`);
    // Long enough for the others to see it.
    await new Promise((resolve) => setTimeout(resolve, 30));
    order.push(`${name} ends`);
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(play));
  const played = order.filter((line) => !line.includes(':'));
  expect(played).toHaveLength(8);
  for (let at = 0; at < played.length; at += 2) {
    expect(played[at + 1]).toBe(played[at]?.replace('begins', 'ends'));
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    expect(order.filter((line) => line.startsWith(`${name}:`)).length).toBeLessThanOrEqual(1);
  }
  expect(order.some((line) => line.includes('another warmvm start of this user runs on this computer'))).toBe(true);
  expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
});

test('the turn of a process that is killed is free', async () => {
  await using runtime = await runtimePlace();
  const source = new URL('./turn.ts', import.meta.url).href;
  const script = `const { takeTurn } = await import(${JSON.stringify(source)});
    await takeTurn({ signal: new AbortController().signal, say() {} }, ${JSON.stringify(runtime.place)});
    console.log('has it'); setInterval(() => {}, 1e6);`;
  const flags = ['--conditions=@warmvm/source', '--no-warnings', '--input-type=module', '-e', script];
  const other = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  const told = Promise.withResolvers<string>();
  const turn = takeTurn({ signal: never, say: told.resolve }, runtime.place);
  expect(await told.promise).toContain('waiting until it has ended');
  other.kill('SIGKILL');
  await (await turn)[Symbol.asyncDispose]();
  expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
});

test('waiting can be given up, and nothing is left of it', async () => {
  await using runtime = await runtimePlace();
  const turn = await takeTurn({ signal: never, say: () => {} }, runtime.place);
  const giveUp = new AbortController();
  const waiting = takeTurn({ signal: giveUp.signal, say: () => giveUp.abort(new Error('enough')) }, runtime.place);
  await expect(waiting).rejects.toThrow('enough');
  await turn[Symbol.asyncDispose]();
  expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
  await (await takeTurn({ signal: never, say: () => {} }, runtime.place))[Symbol.asyncDispose]();
});
