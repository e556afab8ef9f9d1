import { expect, test } from 'vitest';
import { Serials } from './serials.ts';

test('serials count up from 1', () => {
  const serials = new Serials();
  expect([serials.take(), serials.take()]).toEqual([1, 2]);
});

test('serials wrap around', () => {
  const serials = new Serials(0xffff_fffe);
  expect([serials.take(), serials.take(), serials.take()]).toEqual([0xffff_ffff, 0, 1]);
});

test('a serial in use is skipped until it is released', () => {
  expect(new Serials(4, [5, 6]).take()).toBe(7);
  const serials = new Serials(4, [5, 6]);
  serials.release(5);
  expect(serials.take()).toBe(5);
});
