import { isWarmvmError } from '@warmvm/core';
import { createFakeDriver, createFakeHost, type FakeHost, fakeImage } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { openOwnSource, openPool } from './own-pool.ts';

/** Lends from a pool over these hosts, and gives the machine back at once. Resolves with what people were told. */
async function lend(hosts: readonly FakeHost[]): Promise<readonly string[]> {
  const said: string[] = [];
  const signal = new AbortController().signal;
  const left = [...hosts];
  const load = async () => {
    const host = left.shift() as FakeHost;
    return { create: () => createFakeDriver({ host }), image: () => fakeImage() };
  };
  const drivers = hosts.map(() => ({ use: 'fake' }));
  const settings = { drivers, image: 'tiny', pool: {}, configPath: undefined, folder: '/' };
  const source = await openOwnSource(settings, { signal, say: (text) => said.push(text), load });
  try {
    const lent = await source.lend({ signal });
    await lent.giveBack();
    return said;
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

function lostHost(): FakeHost {
  const host = createFakeHost();
  host.lose();
  return host;
}

describe('a machine of a pool of its own', () => {
  test('is given up when the only host cannot be reached', async () => {
    await expect(lend([lostHost()])).rejects.toSatisfy((error) => isWarmvmError(error, 'WARMVM_HOST_UNREACHABLE'));
  });

  test('is given up when none of several hosts can be reached', async () => {
    await expect(lend([lostHost(), lostHost()])).rejects.toSatisfy((error) =>
      isWarmvmError(error, 'WARMVM_HOST_UNREACHABLE'),
    );
  });

  test('comes from the host that is left', async () => {
    await lend([lostHost(), createFakeHost()]);
  });
});

test('people are told once what the host of a pool does not contain machines with', async () => {
  const warned: string[] = [];
  const driver = createFakeDriver({ host: createFakeHost({ name: 'here' }) });
  const { prepare } = driver;
  driver.prepare = (image, { onProgress, ...options }) => {
    onProgress?.({ step: 'boot', notices: ['not contained: memory: not limited; to mend it: delegate a cgroup'] });
    return prepare.call(driver, image, options);
  };
  const settings = { drivers: [{ use: 'fake' }], image: 'tiny', pool: {}, configPath: undefined, folder: '/' };
  const maker = { create: () => driver, image: () => fakeImage() };
  await using opened = await openPool(settings, {
    signal: new AbortController().signal,
    say: () => {},
    warn: (text) => warned.push(text),
    load: async () => maker,
  });
  await opened.pool.ready();
  expect(warned).toHaveLength(1);
  expect(warned[0]).toMatch(/^on .*: not contained: memory: not limited; to mend it: delegate a cgroup$/);
});

test('options that the pool refuses are a mistake of the configuration, with its exit code', async () => {
  const settings = {
    drivers: [{ use: 'fake' }],
    image: 'tiny',
    pool: { minReady: 3, max: 2 },
    configPath: undefined,
    folder: '/',
  };
  const maker = { create: () => createFakeDriver({ host: createFakeHost() }), image: () => fakeImage() };
  const options = { signal: new AbortController().signal, say: () => {}, load: async () => maker };
  await expect(openPool(settings, options)).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/^the pool refuses the configuration: .*minReady/),
  });
});
