import { sleep } from '@warmvm/core';
import { createFakeDriver, createFakeHost, fakeImage } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { runVirtually } from '../fixtures/virtual-run.ts';
import { openFakeHost } from '../host/fake-host.ts';
import { detectSuite } from './suite.ts';

const COUNT = 20;

describe('detect, on a hypervisor whose facts happen at known times', () => {
  test('measures the delay of an event as it was scripted, within a millisecond', async () => {
    const delays = [0, 1, 3.5, 12, 40, 250, 7, 0.25];
    const scripted: number[] = [];
    const { figures } = await runVirtually(detectSuite, delays.length, (clock) =>
      openFakeHost(clock, {
        eventMs: () => {
          const delay = delays[scripted.length % delays.length]!;
          scripted.push(delay);
          return delay;
        },
      }),
    );
    const measured = figures['event path']!.samples;
    expect(measured).toHaveLength(delays.length);
    for (const [index, value] of measured.entries()) expect(Math.abs(value - delays[index]!)).toBeLessThan(1);
  });

  test('claims a SIGKILL only where there is a process to kill', async () => {
    const factOf = async (more: object) => {
      const { facts } = await runVirtually(detectSuite, 1, (clock) => ({ ...openFakeHost(clock), ...more }));
      return facts['the fact'];
    };
    expect(await factOf({})).toContain("behind its driver's back");
    expect(await factOf({ processOf: async () => 1 })).toContain('SIGKILL');
  });

  test('measures polls by when they ask: the backoff at its next question, the fixed one at its next half second', async () => {
    const kills: number[] = [];
    const { figures } = await runVirtually(detectSuite, COUNT, (clock) => {
      const host = openFakeHost(clock, { stateMs: 0 });
      let forkedAt = 0;
      return {
        ...host,
        async driver() {
          const driver = await host.driver();
          const fork = driver.fork.bind(driver);
          driver.fork = async (...args) => {
            const machine = await fork(...args);
            forkedAt = clock.now();
            return machine;
          };
          return driver;
        },
        async crash(machine) {
          kills.push(clock.now() - forkedAt);
          return host.crash!(machine);
        },
      };
    });
    const questions = [0, 50, 150, 350, 750, 1250, 1750];
    for (const [index, afterMs] of kills.entries()) {
      const backoff = questions.find((at) => at >= afterMs)! - afterMs;
      const fixed = (500 - (afterMs % 500)) % 500;
      expect(Math.abs(figures['backoff poll']!.samples[index]! - backoff)).toBeLessThan(1);
      expect(Math.abs(figures['fixed 500 ms poll']!.samples[index]! - fixed)).toBeLessThan(1);
    }
    expect(figures['backoff poll, over its schedule']!.max).toBeLessThan(1);
    expect(new Set(kills).size).toBeGreaterThan(10);
  });

  test('does not reproach a poll with having asked before a kill took effect', async () => {
    const { figures } = await runVirtually(detectSuite, COUNT, (clock) => {
      const host = openFakeHost(clock, { stateMs: 0 });
      return {
        ...host,
        async crash(machine) {
          const killedAt = clock.now();
          await sleep(clock, 200);
          return { killedAt, goneAt: (await host.crash!(machine)).goneAt };
        },
      };
    });
    expect(figures['backoff poll']!.max).toBeGreaterThan(200);
    expect(figures['backoff poll, over its schedule']!.max).toBeLessThan(1);
  });

  test('does not hear of an event on a driver without any before its poll', async () => {
    const { figures } = await runVirtually(detectSuite, COUNT, (clock) => {
      const host = createFakeHost({ clock });
      return {
        ...openFakeHost(clock),
        image: async () => fakeImage(),
        driver: async () =>
          createFakeDriver({ host, clock, capabilities: { stateEvents: false }, latency: { pollMs: 70 } }),
        async crash({ id }) {
          const at = clock.now();
          host.crash(id);
          return { killedAt: at, goneAt: at };
        },
      };
    });
    expect(figures['event path']!.max).toBeLessThanOrEqual(70);
    expect(figures['event path']!.p50).toBeGreaterThan(1);
  });
});
