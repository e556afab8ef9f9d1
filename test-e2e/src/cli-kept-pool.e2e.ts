import type { PoolEvent } from '@warmvm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandUser, openCommandUser } from './support/command-user.ts';

let user: CommandUser;

beforeAll(async () => {
  user = await openCommandUser();
});

afterAll(() => user?.[Symbol.asyncDispose]());

/** Every time that a machine was lent: which, and which life of it. */
function lent(events: readonly PoolEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'slot-changed' && event.to === 'leased' ? [`${event.machineId} ${event.generation}`] : [],
  );
}

test('ten commands of other processes at once each get a machine of their own, and nothing is left after the drain', async () => {
  await using pool = user.start('pool', 'start', '--min-ready', '2', '--max', '3');
  await pool.prints('pool default is ready: 2 of at most 3 machines on qemu');
  using watch = await user.watch('default');

  const script = [
    'found=$(ls /tmp /root | grep -c marker)',
    'echo $NUMBER > /tmp/marker-$NUMBER; cp /tmp/marker-$NUMBER /root',
    'echo "run $NUMBER found $found in $(hostname)"; echo "told by $NUMBER" >&2; exit $NUMBER',
  ];
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  const run = (number: number) =>
    user.run('run', '--verbose', '-e', `NUMBER=${number}`, '--', 'sh', '-c', script.join('; '));
  const ends = await Promise.all(numbers.map(run));
  for (const [index, { exitCode, stdout, stderr }] of ends.entries()) {
    const number = index + 1;
    const machine = /^warmvm: machine (\S+) of pool default of process \d+$/m.exec(stderr)?.[1];
    expect(stdout).toBe(`run ${number} found 0 in ${machine}\n`);
    expect(stderr).toContain(`told by ${number}\n`);
    expect(exitCode).toBe(number);
  }
  const lives = lent(watch.events);
  expect(lives).toHaveLength(10);
  expect(new Set(lives).size).toBe(10);

  const status = JSON.parse((await user.run('pool', 'status', '--json')).stdout);
  expect(status).toMatchObject({ pool: 'default', drivers: ['qemu'], stats: { counters: { acquired: 10 } } });
  const { exitCode, stdout } = await user.run('pool', 'status');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^pool default on qemu, image tiny; process \d+/);
  expect(stdout).toMatch(/10 leases \(\d+ at once\), \d+ resets, \d+ made, \d+ destroyed, 0 failures/);

  const drained = await user.run('pool', 'drain');
  expect(drained).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('every lease came back, nothing is left'),
  });
  expect((await pool.ended).exitCode).toBe(0);
  expect(await user.traces()).toEqual([]);
  expect(await user.run('pool', 'status')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no pool "default"'),
  });
});

test('the machine of a client that was killed goes to the next in line, another generation without a trace of it', async () => {
  await using pool = user.start('pool', 'start', '--name', 'alone', '--min-ready', '1', '--max', '1');
  await pool.prints('pool alone is ready');
  using watch = await user.watch('alone');
  const run = (...script: readonly string[]) =>
    user.start('run', '--pool', 'alone', '--', 'sh', '-c', script.join('\n'));

  await using killed = run('echo secret > /tmp/marker', 'sleep 600 &', 'hostname', 'exec sleep 601');
  await killed.prints('warmvm-');
  await using next = run('hostname', 'ls /tmp/marker', 'pidof sleep');
  // It waits: there is no other machine.
  await untilWaiting('alone');
  killed.kill('SIGKILL');
  const { stdout: before } = await killed.ended;
  const { exitCode, stdout, stderr } = await next.ended;
  expect(stdout).toBe(before);
  expect(stderr).toContain('/tmp/marker: No such file');
  expect(exitCode).toBe(1);

  expect(await watch.until('lease-ended', ({ turn }) => turn === 1)).toMatchObject({ status: 'released' });
  const [first, second] = lent(watch.events).map((life) => life.split(' '));
  expect(second?.[0]).toBe(first?.[0]);
  expect(Number(second?.[1])).toBeGreaterThan(Number(first?.[1]));
  expect((await user.run('pool', 'drain', '--pool', 'alone')).exitCode).toBe(0);
  expect((await pool.ended).exitCode).toBe(0);
  expect(await user.traces()).toEqual([]);
});

/** Resolves when somebody is in line for a machine of the pool. */
async function untilWaiting(pool: string): Promise<void> {
  for (;;) {
    const { stdout } = await user.run('pool', 'status', '--pool', pool, '--json');
    if ((JSON.parse(stdout) as { stats: { waiting: number } }).stats.waiting > 0) return;
  }
}
