import { systemClock } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { runVirtually } from './fixtures/virtual-run.ts';
import { openFakeHost } from './host/fake-host.ts';
import { HOSTS } from './host/open-host.ts';
import { DRIVER_NAMES, SUITE_NAMES } from './names.ts';
import type { HostSuite } from './suite.ts';
import { obstacleTo, SUITES, suitesNamed } from './suites.ts';

const fake = openFakeHost(systemClock);
const real = { ...fake, driverName: 'mine', acceleration: 'tcg' };

function suite(name: string): HostSuite {
  return suitesNamed([name])[0] as HostSuite;
}

test('the names that a command line knows are those of the suites, and of the drivers', () => {
  expect(SUITE_NAMES).toEqual(SUITES.map(({ name }) => name));
  expect(DRIVER_NAMES).toEqual(Object.keys(HOSTS));
});

describe('obstacleTo', () => {
  test('lets a simulated host run by itself only what means something there', () => {
    const names = SUITES.filter((each) => obstacleTo(each, fake, false) === null).map(({ name }) => name);
    expect(names).toEqual(['acquire', 'pool-engine', 'detect', 'cycle']);
  });

  test('lets it run more when that was asked for by name', () => {
    expect(obstacleTo(suite('reset'), fake, true)).toBeNull();
    expect(obstacleTo(suite('density'), fake, true)).toBe('the host of this driver has no processOf');
  });

  test('names what a host lacks', () => {
    expect(obstacleTo(suite('rpc'), real, false)).toBe('the host of this driver has no libvirtSocket');
    expect(obstacleTo(suite('reset'), real, false)).toBeNull();
    expect(obstacleTo(suite('pool-engine'), real, false)).toContain('--driver fake');
  });
});

describe('a suite on a hypervisor with scripted times measures these:', () => {
  test('boot, the fork and the first command', async () => {
    const { figures, ladders } = await runVirtually(suite('boot'), 5, (clock) =>
      openFakeHost(clock, { forkMs: 30, execMs: 7, guestMs: 0 }),
    );
    expect(figures['fork to first result']).toMatchObject({ samples: [37, 37, 37, 37, 37] });
    expect(ladders['fork, one at a time']).toMatchObject({ exec: [7, 7, 7, 7, 7] });
  });

  test('reset, in every size and to every end that the host tells', async () => {
    const { figures, ladders } = await runVirtually(suite('reset'), 4, (clock) => ({
      ...openFakeHost(clock, { resetMs: 50, guestMs: 0 }),
      watchRunning: async () => ({
        lastRunningAt: () => clock.now() - 10,
        [Symbol.asyncDispose]: async () => {},
      }),
    }));
    expect(figures['default, 2 GiB, to ready']!.samples).toEqual([50, 50, 50, 50]);
    expect(figures['default, 2 GiB, to running']!.samples).toEqual([40, 40, 40, 40]);
    expect(ladders['reset default, 256 MiB']).toEqual({ reset: [40, 40, 40, 40], agent: [10, 10, 10, 10] });
  });

  test('init, forks at once and boots one by one', async () => {
    const { figures, ratios } = await runVirtually(suite('init'), 2, (clock) =>
      openFakeHost(clock, { forkMs: 20, prepareMs: 100, guestMs: 0, execMs: 0 }),
    );
    expect(figures['5 forks ready']!.p50).toBeLessThan(figures['5 cold boots']!.p50);
    expect(ratios['5 forks to 5 cold boots']!.value).toBeLessThan(0.2);
    expect(figures['cold boot of one machine']!.samples).toHaveLength(10);
  });

  test('init and reset of a far driver beside the local one', async () => {
    const open = (clock: Parameters<Parameters<typeof runVirtually>[2]>[0]) => {
      const [far, near] = [40, 20].map((forkMs) =>
        openFakeHost(clock, { forkMs, resetMs: 2 * forkMs, prepareMs: 100, guestMs: 0, execMs: 0 }),
      ) as [ReturnType<typeof openFakeHost>, ReturnType<typeof openFakeHost>];
      const driver = (way?: string) => (way === 'near' ? near.driver() : far.driver());
      return { ...far, memorySizes: [2 ** 28], ways: ['far', 'near'], localWay: 'near', driver };
    };
    const init = await runVirtually(suite('init'), 3, open);
    expect(init.figures['5 forks ready over the local socket']!.samples).toHaveLength(3);
    expect(init.ratios['5 forks to 5 forks over the local socket']!.value).toBeCloseTo(2, 1);
    const reset = await runVirtually(suite('reset'), 3, open);
    expect(reset.ratios['far to near, 256 MiB, to ready']!.value).toBe(2);
  });

  test('cycle, at the rate that resets allow, and what is left behind', async () => {
    const open = (left: readonly string[]) => (clock: Parameters<Parameters<typeof runVirtually>[2]>[0]) => {
      const host = openFakeHost(clock, { resetMs: 1000, guestMs: 0 });
      const answers = [[], left];
      return { ...host, objects: async () => [...(await host.objects!()), ...(answers.shift() ?? [])] };
    };
    const clean = await runVirtually(suite('cycle'), 20, open([]));
    expect(clean.figures['objects left behind']!.samples).toEqual([0]);
    expect(clean.facts.cycles).toBe(20);
    const leaky = await runVirtually(suite('cycle'), 20, open(['a volume']));
    expect(leaky.figures['objects left behind']!.samples).toEqual([1]);
    expect(leaky.facts['left behind, 1']).toBe('a volume');
  });
});
