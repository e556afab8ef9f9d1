import { PassThrough } from 'node:stream';
import type { Clock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { hurriedClock } from './fixtures/hurried-clock.ts';
import { owner, World } from './fixtures/world.ts';
import { consoleTail } from './process/console-tail.ts';

/** A clock on which exactly the waits of this length are over at once. */
function impatient(limitMs: number): Clock {
  const setTimer: Clock['setTimer'] = (callback, delayMs, options) =>
    hurriedClock.setTimer(callback, delayMs === limitMs ? 0 : delayMs, options);
  return { ...hurriedClock, setTimer };
}

const BOOT_MS = 101_001;
const START_MS = 101_002;
const AGENT_MS = 101_003;
const limits = { bootTimeoutMs: BOOT_MS, startTimeoutMs: START_MS, agentTimeoutMs: AGENT_MS };

describe('an error of a time limit', () => {
  test.each<[string, number, World['misbehaviour']]>([
    ['bootTimeoutMs', BOOT_MS, { silentAgentAt: 'guest-ping' }],
    ['startTimeoutMs', START_MS, { silentAt: 'stop' }],
    ['startTimeoutMs', START_MS, { silentAt: 'migrate' }],
    ['startTimeoutMs', START_MS, { migration: 'endless' }],
    ['agentTimeoutMs', AGENT_MS, { silentAgentAt: 'guest-exec' }],
  ])('names options.%s, and shows what the guest wrote last', async (option, limitMs, misbehaviour) => {
    await using world = await World.create();
    world.misbehaviour = { ...misbehaviour, console: 'booting\n\u001b[31mno root device\u001b[0m\n' };
    const driver = world.newDriver({ ...limits, clock: impatient(limitMs) });
    await expect(driver.prepare(world.image, { owner })).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`options\\.${option}[^]*booting\\nno root device`)),
    });
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });
});

test('a console without end is kept to its end', () => {
  const console = new PassThrough();
  const tail = consoleTail(console);
  for (let line = 0; line < 5000; line += 1) console.write(`line ${line} \u001b]0;title\u0007\n`);
  expect(tail().length).toBeLessThanOrEqual(1500);
  expect(tail().endsWith('line 4999')).toBe(true);
  expect(consoleTail(undefined)()).toBe('');
});
