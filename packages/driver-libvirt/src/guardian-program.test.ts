import { expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';
import type { GuardianProgram } from './guardian.ts';

const program = (way: string): GuardianProgram => ({
  module: new URL('./fixtures/guardian-of-one-way.ts', import.meta.url),
  way,
  giveUpMs: 1_000,
  isOptional: false,
});

test('a host behind a function has the guardian of a program that knows the way, which ends with the driver', async () => {
  await using world = await World.create({ guardian: program('open') });
  const golden = await world.prepare();
  await world.driver.fork(golden, { owner });
  await world.driver[Symbol.asyncDispose]();
  expect(world.host.inventory).toEqual([]);
});

test('nothing is made on a host that its guardian does not reach', async () => {
  await using world = await World.create({ guardian: program('no entry') });
  await expect(world.prepare()).rejects.toMatchObject({
    code: 'WARMVM_HOST_DENIED',
    message: expect.stringContaining('no entry'),
    details: { problem: 'played' },
  });
  expect(world.host.inventory).toEqual([]);
  await world.driver[Symbol.asyncDispose]();
});
