import type { Clock, Guest } from '@warmvm/core';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { runVirtually } from '../fixtures/virtual-run.ts';
import type { BenchHost } from '../host/bench-host.ts';
import { openFakeHost } from '../host/fake-host.ts';
import { converse } from './conversation.ts';
import { streamSuite } from './suite.ts';

const GUEST_IS_AHEAD_MS = 3_600_000;

/** A host whose guests write at once, and are heard as late as the script says. */
function lateHost(clock: Clock, delayMs: (line: number) => number, isReal: boolean): BenchHost {
  const host = openFakeHost(clock, { guestMs: 4, execMs: 0 });
  let line = 0;
  const late = (guest: Guest): Guest => ({
    ping: (options) => guest.ping(options),
    readFile: (path, options) => guest.readFile(path, options),
    writeFile: (path, content, options) => guest.writeFile(path, content, options),
    timeMs: async (options) => {
      await guest.timeMs(options);
      // Taken half way: what a round trip is corrected by is then exact.
      return clock.now() - 2 + GUEST_IS_AHEAD_MS;
    },
    async exec(command, options = {}) {
      if (options.onOutput === undefined) return guest.exec(command, options);
      const { onOutput } = options;
      return guest.exec(['cat'], {
        ...options,
        onOutput(bytes, stream) {
          const time = isReal ? ` ${((clock.now() + GUEST_IS_AHEAD_MS) / 1000).toFixed(6)}` : '';
          const said = Buffer.from(`....\n${Buffer.from(bytes).toString().trim()}${time}\n....`);
          clock.setTimer(() => void onOutput(said, stream), delayMs(line));
          line += 1;
        },
      });
    },
  });
  return {
    ...host,
    acceleration: isReal ? 'tcg' : 'none',
    async driver() {
      const driver = await host.driver();
      const fork = driver.fork.bind(driver);
      driver.fork = async (...args) => {
        const machine = await fork(...args);
        const guest = late(machine.guest);
        Object.defineProperty(machine, 'guest', { value: guest });
        return machine;
      };
      return driver;
    },
  };
}

describe('stream, from a guest whose output is as late as it was told to be', () => {
  test('measures that, without a clock of the guest', async () => {
    const { figures, caveats } = await runVirtually(streamSuite, 10, (clock) => lateHost(clock, () => 37, false));
    expect(figures['line, there and back']!.samples).toEqual(Array.from({ length: 10 }, () => 37));
    expect(Object.keys(figures)).toEqual(['line, there and back']);
    expect(caveats).toHaveLength(1);
  });

  test('measures the same by the guest’s clock, however far that is ahead, and beside other output', async () => {
    const { figures, facts } = await runVirtually(streamSuite, 20, (clock) =>
      lateHost(clock, (line) => 20 + (line % 3), true),
    );
    for (const name of ['line, there and back', 'line, 1 MB/s beside it']) {
      const roundTrips = figures[name]!.samples;
      const oneWay = figures[`${name}, by the guest’s clock`]!.samples;
      expect(roundTrips).toHaveLength(20);
      expect(new Set(roundTrips)).toEqual(new Set([20, 21, 22]));
      for (const [index, value] of oneWay.entries()) expect(value).toBeCloseTo(roundTrips[index]!, 1);
    }
    expect(figures['what the guest’s clock may be wrong by']!.max).toBe(2);
    expect(facts['output beside it']).toMatch(/MB\/s$/);
  });
});

describe('a conversation', () => {
  const clock = new VirtualClock();
  const { signal } = new AbortController();

  test('ends with the reason when the program ends before it answers', async () => {
    const guest = { exec: async () => ({}) } as unknown as Guest;
    const talk = async (say: () => Promise<unknown>): Promise<void> => void (await say());
    await expect(converse(guest, { command: ['cat'], clock, signal, talk })).rejects.toThrow('before it had answered');
  });

  test('ends with what the guest throws', async () => {
    const reason = new Error('gone');
    const guest = { exec: async () => Promise.reject(reason) } as unknown as Guest;
    const talk = async (say: () => Promise<unknown>): Promise<void> => void (await say());
    await expect(converse(guest, { command: ['cat'], clock, signal, talk })).rejects.toBe(reason);
  });
});
