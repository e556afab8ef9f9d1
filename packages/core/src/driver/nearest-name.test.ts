import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

const NAMES = ['standby', 'bootTimeoutMs', 'agentTimeoutMs', 'max', 'maxAgeMs', 'maxOverlayBytes', 'user'];

test.each([
  ['standbi', 'standby'],
  ['sandby', 'standby'],
  ['satndby', 'standby'],
  ['STANDBY', 'standby'],
  ['bootTimeout', 'bootTimeoutMs'],
  ['bootTimeoutMS', 'bootTimeoutMs'],
  ['maxx', 'max'],
  ['usr', 'user'],
  ['maxOverlay', 'maxOverlayBytes'],
  ['', undefined],
  ['ma', 'max'],
  ['frobnicate', undefined],
  ['x'.repeat(10_000), undefined],
])('%s may mean %s', (word, meant) => {
  expect(nearestName(word, NAMES)).toBe(meant);
});
