import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { talkToPool } from './pool-talk.ts';

let folder: string;
let config: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-talk-'));
  config = join(folder, 'warmvm.config.json');
  vi.stubEnv('XDG_RUNTIME_DIR', folder);
  vi.stubEnv('WARMVM_CONFIG', config);
  vi.stubEnv('WARMVM_POOL', '');
  await writeFile(config, JSON.stringify({ pool: { name: 'of-the-file' } }));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** What is said of the pool that was looked for, since none is kept. */
async function lookedFor(name?: string): Promise<string> {
  const talk = talkToPool(name, new AbortController().signal, () => Promise.reject(new Error('there is one')));
  return talk.then(String, (error: Error) => `${error.name}: ${error.message}`);
}

test('the pool that is talked to is the one that is named, else that of the environment, of the configuration, or the default', async () => {
  expect(await lookedFor('named')).toMatch(/^ConfigError: no pool "named" is kept here/);
  expect(await lookedFor()).toContain('no pool "of-the-file"');
  vi.stubEnv('WARMVM_POOL', 'of-the-environment');
  expect(await lookedFor()).toContain('no pool "of-the-environment"');
  vi.stubEnv('WARMVM_POOL', '');
  await writeFile(config, '{}');
  expect(await lookedFor()).toContain('no pool "default"');
});

test('a pool that is named is reached although the configuration is broken', async () => {
  await writeFile(config, '{ "poool": {} }');
  expect(await lookedFor('named')).toContain('no pool "named"');
  expect(await lookedFor()).toContain('poool is unknown');
});
