import { describe, expect, test } from 'vitest';
import { createRig, rejection } from './fixtures/rig.ts';
import { fakeImage } from './index.ts';

describe('guest files', () => {
  test('are written, appended to and read back', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    await rig.run(guest.writeFile('/tmp/../tmp/a', 'one'));
    await rig.run(guest.writeFile('/tmp/a', new TextEncoder().encode(' two'), { append: true }));
    expect(Buffer.from(await rig.run(guest.readFile('/tmp/a'))).toString()).toBe('one two');
  });

  test('do not change with the buffer they were written from or read into', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    const content = Uint8Array.of(1);
    await rig.run(guest.writeFile('/a', content));
    content[0] = 2;
    (await rig.run(guest.readFile('/a')))[0] = 3;
    expect(await rig.run(guest.readFile('/a'))).toEqual(Uint8Array.of(1));
  });

  test.each(['relative', '/with\0nul', '/missing'])('reject a bad path %j with GUEST_EXEC_FAILED', async (path) => {
    const rig = createRig();
    const { guest } = await rig.fork();
    expect(await rejection(rig.run(guest.readFile(path)))).toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      cause: expect.any(Error),
    });
  });

  test('longer than the bound are not returned', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    await rig.run(guest.writeFile('/a', '12345'));
    expect(await rejection(rig.run(guest.readFile('/a', { maxBytes: 4 })))).toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { reason: 'too-long' },
    });
    expect(await rig.run(guest.readFile('/a', { maxBytes: 5 }))).toHaveLength(5);
    expect(await rejection(rig.run(guest.readFile('/a', { maxBytes: -1 })))).toBeInstanceOf(TypeError);
  });

  test('do not outgrow memory and disk', async () => {
    const image = fakeImage({ memoryBytes: 1000, boot: { ...fakeImage().boot, diskBytes: 1000 } });
    const rig = createRig();
    const { guest } = await rig.fork(image);
    for (const path of ['/a', '/disk/a']) {
      expect(await rejection(rig.run(guest.writeFile(path, 'x'.repeat(1000))))).toMatchObject({
        message: expect.stringContaining('No space left'),
      });
    }
    expect(await rejection(rig.run(guest.writeFile('/disk', 'x')))).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
  });
});

describe('guest exec', () => {
  test.each([
    [['true'], 0, ''],
    [['/bin/false'], 1, ''],
    [['/usr/bin/echo', 'a', 'b;c'], 0, 'a b;c\n'],
    [['cat'], 0, 'input'],
    [['tee', '/t'], 0, 'input'],
    [['head', '-c', '2'], 0, 'in'],
    [['head', '-n', '2'], 1, ''],
    [['rm', '-f', '/absent'], 0, ''],
    [['rm', '/absent'], 1, ''],
    [['ls', '/absent'], 1, ''],
    [['ls', '/etc'], 0, 'hostname\nmachine-id\n'],
    [['ls', '/etc/hostname'], 0, '/etc/hostname\n'],
    [['date', '-R'], 1, ''],
    [['sleep', 'long'], 1, ''],
    [['kill', '1'], 1, ''],
    [['kill', '-99', '2'], 1, ''],
    [['env'], 0, 'PATH=/usr/bin:/bin\nHOME=/\nA=b\n'],
  ] as const)('runs %j', async (command, exitCode, stdout) => {
    const rig = createRig();
    const { guest } = await rig.fork();
    const result = await rig.run(guest.exec(command, { stdin: 'input', environment: { A: 'b' } }));
    expect(result).toMatchObject({ exitCode, signal: null, stdoutTruncated: false, stderrTruncated: false });
    expect(Buffer.from(result.stdout).toString()).toBe(stdout);
    expect(result.stderr.byteLength > 0).toBe(exitCode !== 0 && command[0] !== '/bin/false');
  });

  test('tee adds to a file and rm removes it', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    await rig.run(guest.exec(['tee', '/t'], { stdin: 'a' }));
    await rig.run(guest.exec(['tee', '-a', '/t'], { stdin: new TextEncoder().encode('b') }));
    expect(Buffer.from((await rig.run(guest.exec(['head', '-c', '9', '/t']))).stdout).toString()).toBe('ab');
    await rig.run(guest.exec(['rm', '/t']));
    expect((await rig.run(guest.exec(['cat', '/t']))).exitCode).toBe(1);
  });

  test('shows the time of the guest', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const seconds = Number(await rig.text(machine, 'date', '+%s'));
    expect(Math.abs(seconds - rig.clock.wallTimeMs() / 1000)).toBeLessThanOrEqual(1);
    expect(await rig.text(machine, 'date')).toMatch(/^\d{4}-.*Z$/);
  });

  test('of an unknown program rejects as the agent would', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    expect(await rejection(rig.run(guest.exec(['sh', '-c', 'echo secret'])))).toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { program: 'sh', reason: 'not-found' },
    });
  });

  test.each([
    [[], {}],
    [['true'], { timeoutMs: 0 }],
    [['true'], { timeoutMs: 1.5 }],
    [['true'], { maxOutputBytes: Number.NaN }],
  ] as const)('of %j with %j is a TypeError', async (command, options) => {
    const rig = createRig();
    const { guest } = await rig.fork();
    expect(await rejection(rig.run(guest.exec(command, options)))).toBeInstanceOf(TypeError);
  });

  test('cuts output at its bound and marks it', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    const result = await rig.run(guest.exec(['echo', 'abcdef'], { maxOutputBytes: 3 }));
    expect(Buffer.from(result.stdout).toString()).toBe('abc');
    expect(result.stdoutTruncated).toBe(true);
    const random = await rig.run(guest.exec(['head', '-c', '999999999999', '/dev/urandom'], { maxOutputBytes: 64 }));
    expect(random.stdout).toHaveLength(64);
    expect(random.stdoutTruncated).toBe(true);
    const complaint = await rig.run(guest.exec(['cat', '/absent'], { maxOutputBytes: 3 }));
    expect(complaint.stderrTruncated).toBe(true);
  });

  test('sleeps on the clock', async () => {
    const rig = createRig({ latency: { execMs: 2 } });
    const { guest } = await rig.fork();
    const startedMs = rig.clock.now();
    await rig.run(guest.exec(['sleep', '1.5']));
    expect(rig.clock.now() - startedMs).toBe(1502);
  });

  test('is killed by abort, and its process is gone', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const controller = new AbortController();
    const sleeping = rejection(machine.guest.exec(['sleep', '100'], { signal: controller.signal }));
    await rig.clock.advance(10);
    controller.abort('enough');
    expect(await sleeping).toBe('enough');
    expect(rig.clock.pendingTimers).toBe(0);
    expect(await rig.text(machine, 'ps')).toBe('1 init\n2 ps');
  });

  test('is killed when its time is over', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    expect(await rejection(rig.run(machine.guest.exec(['sleep', '100'], { timeoutMs: 50 })))).toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { reason: 'timeout', timedOut: true },
    });
    expect(await rig.text(machine, 'ps')).toBe('1 init\n2 ps');
  });

  test('can be killed from within, which is a result', async () => {
    const rig = createRig();
    const { guest } = await rig.fork();
    const sleepers = [guest.exec(['sleep', '100']), guest.exec(['sleep', '100'])] as const;
    await rig.clock.advance(10);
    await rig.run(guest.exec(['kill', '2']));
    await rig.run(guest.exec(['kill', '-9', '3']));
    expect(await sleepers[0]).toMatchObject({ exitCode: null, signal: 15 });
    expect(await sleepers[1]).toMatchObject({ exitCode: null, signal: 9 });
  });
});

describe('a guest that cannot answer', () => {
  test.each(['crash', 'pause', 'stop'] as const)('rejects with GUEST_UNRESPONSIVE after %s', async (happening) => {
    const rig = createRig();
    const machine = await rig.fork();
    rig.host[happening](machine.id);
    const calls: Promise<unknown>[] = [machine.guest.ping(), machine.guest.exec(['true']), machine.guest.timeMs()];
    for (const call of calls) {
      expect(await rejection(call)).toMatchObject({
        code: 'WARMVM_GUEST_UNRESPONSIVE',
        details: { machineId: machine.id },
        cause: expect.any(Error),
      });
    }
  });

  test('rejects at the moment when its machine crashes', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const sleeping = rejection(machine.guest.exec(['sleep', '100']));
    await rig.clock.advance(10);
    rig.host.crash(machine.id);
    expect(await sleeping).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', details: { state: 'crashed' } });
  });

  test('rejects with GUEST_UNRESPONSIVE when its machine is paused before the answer', async () => {
    const rig = createRig({ latency: { guestMs: 10 } });
    const machine = await rig.fork();
    const asking = rejection(machine.guest.ping());
    await rig.clock.advance(5);
    rig.host.pause(machine.id);
    expect(await rig.run(asking)).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true });
  });

  test('rejects with MACHINE_GONE once its machine is disposed or removed', async () => {
    const rig = createRig();
    const [disposed, removed] = [await rig.fork(), await rig.fork()];
    const sleeping = [disposed, removed].map(({ guest }) => rejection(guest.exec(['sleep', '100'])));
    await rig.clock.advance(5);
    rig.host.destroy(removed.id);
    await rig.run(disposed[Symbol.asyncDispose]());
    for (const error of await Promise.all(sleeping)) expect(error).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await rejection(disposed.guest.ping())).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await rejection(removed.guest.ping())).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('rejects every call with NOT_SUPPORTED where the manifest has no agent', async () => {
    const rig = createRig({ capabilities: { guestAgent: false } });
    const { guest } = await rig.fork();
    const calls = [guest.ping(), guest.exec(['true']), guest.readFile('/a'), guest.writeFile('/a', ''), guest.timeMs()];
    for (const call of calls) expect(await rejection(call)).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });
});
