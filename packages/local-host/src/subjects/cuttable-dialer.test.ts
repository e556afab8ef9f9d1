import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { CuttableDialer } from './cuttable-dialer.ts';

test('a way that is cut breaks what is open and opens nothing until it is mended', async () => {
  const way = new CuttableDialer(async () => new PassThrough());
  const before = await way.dial({});
  const cut = way.cut();
  expect(before.destroyed).toBe(true);
  await expect(way.dial({})).rejects.toThrow('the way to the host is cut');
  await cut[Symbol.asyncDispose]();
  expect((await way.dial({})).destroyed).toBe(false);
});

test('a way that is cut while somebody dials lets nobody through', async () => {
  const opened = new PassThrough();
  const { promise, resolve } = Promise.withResolvers<PassThrough>();
  const way = new CuttableDialer(() => promise);
  const dialing = way.dial({});
  way.cut();
  resolve(opened);
  await expect(dialing).rejects.toThrow('the way to the host is cut');
  expect(opened.destroyed).toBe(true);
});
