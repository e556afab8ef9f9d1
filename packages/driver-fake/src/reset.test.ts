import { describe, expect, test } from 'vitest';
import { createRig, owner, type Rig, rejection } from './fixtures/rig.ts';
import { defaultParts, fakeImage } from './index.ts';

async function drawn(rig: Rig, machine: Awaited<ReturnType<Rig['fork']>>): Promise<string> {
  const { stdout } = await rig.run(machine.guest.exec(['head', '-c', '16', '/dev/urandom']));
  return Buffer.from(stdout).toString('hex');
}

describe('reset of memory', () => {
  test('takes exactly the scripted time and advances the generation when it begins', async () => {
    const rig = createRig({ latency: { resetMs: 17 } });
    const machine = await rig.fork();
    const startedMs = rig.clock.now();
    const resetting = machine.reset();
    expect(machine.generation).toBe(2);
    await rig.run(resetting);
    expect(rig.clock.now() - startedMs).toBe(17);
    expect(machine.generation).toBe(2);
    expect(await machine.state()).toBe('running');
  });

  test('leaves nothing of the old tenant in memory, on disk or among the processes', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    await rig.run(machine.guest.writeFile('/tmp/secret', 'memory'));
    await rig.run(machine.guest.writeFile('/disk/secret', 'disk'));
    const running = rejection(machine.guest.exec(['sleep', '1000']));
    await rig.clock.advance(10);
    expect(await rig.text(machine, 'ps')).toContain('sleep 1000');
    await rig.run(machine.reset());
    expect(await running).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    for (const path of ['/tmp/secret', '/disk/secret']) {
      expect((await rig.run(machine.guest.exec(['cat', path]))).exitCode).toBe(1);
    }
    expect(await rig.text(machine, 'ps')).toBe('1 init\n2 ps');
  });

  test('renews identity, randomness and clock each time', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const seen = { random: new Set<string>(), hostname: new Set<string>(), machineId: new Set<string>() };
    for (let turn = 0; turn < 5; turn += 1) {
      seen.random.add(await drawn(rig, machine));
      seen.hostname.add(await rig.text(machine, 'hostname'));
      seen.machineId.add(await rig.text(machine, 'cat', '/etc/machine-id'));
      await rig.clock.advance(600_000);
      await rig.run(machine.reset());
      expect(await rig.run(machine.guest.timeMs())).toBe(rig.clock.wallTimeMs());
    }
    expect(Object.values(seen).map(({ size }) => size)).toEqual([5, 5, 5]);
  });

  test('waits for a reset that is under way, and each advances the generation when its turn comes', async () => {
    const rig = createRig({ latency: { resetMs: 10 } });
    const machine = await rig.fork();
    const startedMs = rig.clock.now();
    const ended: number[] = [];
    const both = [1, 2].map(async () => {
      await machine.reset();
      ended.push(rig.clock.now() - startedMs);
    });
    await rig.clock.advance(5);
    expect(machine.generation).toBe(2);
    await rig.run(Promise.all(both));
    expect(machine.generation).toBe(3);
    expect(ended).toEqual([10, 20]);
  });

  test('that waits can be given up, and has changed nothing', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const startedMs = rig.clock.now();
    const first = machine.reset();
    const controller = new AbortController();
    const second = rejection(machine.reset({ signal: controller.signal }));
    controller.abort('no');
    expect(await second).toBe('no');
    const third = machine.reset();
    await rig.run(Promise.all([first, third]));
    expect(machine.generation).toBe(3);
    expect(rig.clock.now() - startedMs).toBe(10);
    expect(await rig.text(machine, 'echo', 'well')).toBe('well');
  });

  test.each([0, 3, 4.5])(
    'aborted after %d ms rejects with the reason, and the guest is closed until another reset',
    async (afterMs) => {
      const rig = createRig();
      const machine = await rig.fork();
      const controller = new AbortController();
      const resetting = rejection(machine.reset({ signal: controller.signal }));
      await rig.clock.advance(afterMs);
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await resetting).toBe(reason);
      expect(machine.generation).toBe(2);
      expect(await rejection(rig.run(machine.guest.ping()))).toMatchObject({
        code: 'WARMVM_NOT_READY',
        retryable: true,
      });
      await rig.run(machine.reset());
      await rig.run(machine.guest.ping());
      expect(machine.generation).toBe(3);
    },
  );

  test('brings a crashed machine back', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    rig.host.crash(machine.id);
    expect(await machine.state()).toBe('crashed');
    await rig.run(machine.reset());
    expect(await machine.state()).toBe('running');
  });

  test('that fails is final: generation advanced, only dispose is left', async () => {
    let failing = true;
    const rig = createRig({
      faults: ({ operation }) => (operation === 'reset' && failing ? { reject: new Error('revert') } : undefined),
    });
    const machine = await rig.fork();
    expect(await rejection(rig.run(machine.reset()))).toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      cause: new Error('revert'),
    });
    failing = false;
    expect(machine.generation).toBe(2);
    expect(await rejection(rig.run(machine.reset()))).toMatchObject({ code: 'WARMVM_RESET_FAILED' });
    expect(machine.generation).toBe(2);
    expect(await rejection(rig.run(machine.guest.ping()))).toMatchObject({
      code: 'WARMVM_NOT_READY',
      retryable: false,
    });
    await rig.run(machine[Symbol.asyncDispose]());
    expect(rig.host.objects().machines).toBe(0);
  });

  test('fails when the machine crashes meanwhile', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const resetting = rejection(machine.reset());
    await rig.clock.advance(2);
    rig.host.crash(machine.id);
    expect(await rig.run(resetting)).toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      cause: { code: 'WARMVM_MACHINE_CRASHED' },
    });
  });

  test('fails when somebody stops the machine before it is renewed', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const resetting = rejection(machine.reset());
    await rig.clock.advance(4.5);
    rig.host.stop(machine.id);
    expect(await rig.run(resetting)).toMatchObject({ code: 'WARMVM_RESET_FAILED' });
  });

  test('fails when the golden snapshot is gone', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const golden = (await rig.records()).find(({ kind }) => kind === 'golden');
    await rig.run(rig.driver.remove(golden!));
    expect(await rejection(rig.run(machine.reset()))).toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      cause: { code: 'WARMVM_GOLDEN_MISSING' },
    });
  });

  test('fails when the guest does not prove that it came from the golden snapshot', async () => {
    const rig = createRig({ parts: { revert: (context) => context.present ?? defaultParts.revert(context) } });
    const machine = await rig.fork();
    expect(await rejection(rig.run(machine.reset()))).toMatchObject({ code: 'WARMVM_RESET_FAILED', retryable: false });
  });

  test('is cancelled by dispose, which waits for its end', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const resetting = rejection(machine.reset());
    await rig.clock.advance(1);
    await rig.run(machine[Symbol.asyncDispose]());
    expect(await resetting).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(rig.host.objects().machines).toBe(0);
  });

  test('on a machine that was removed behind our back rejects with MACHINE_GONE', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    rig.host.destroy(machine.id);
    expect(await rejection(rig.run(machine.reset()))).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(machine.generation).toBe(1);
  });
});

test('reset of the disk boots the guest anew, without anything of the old tenant', async () => {
  const rig = createRig({ capabilities: { reset: 'disk' } });
  const machine = await rig.fork();
  await rig.run(machine.guest.writeFile('/tmp/secret', 'memory'));
  await rig.run(machine.guest.writeFile('/disk/secret', 'disk'));
  await rig.run(machine.reset());
  expect(await rig.text(machine, 'ls', '/disk')).toBe('.warmvm-generation');
  expect(await rig.text(machine, 'ls', '/')).toBe('etc\nrun\ndisk'.split('\n').sort().join('\n'));
  expect(await rig.text(machine, 'hostname')).toBe(`${machine.id}-2`);
});

test('reset is refused, and counts for nothing, where the manifest has none', async () => {
  const rig = createRig({ capabilities: { reset: 'none' } });
  const machine = await rig.run(rig.driver.fork(await rig.run(rig.driver.prepare(fakeImage(), { owner })), { owner }));
  expect(await rejection(machine.reset())).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED', cause: expect.any(Error) });
  expect(machine.generation).toBe(1);
});
