import type { MemoryAgent } from '@warmvm/guest-agent/testing';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';
import type { QemuNetwork } from './network/network-option.ts';

const ssh: QemuNetwork = {
  kind: 'user',
  forwards: [{ guestPort: 22 }, { guestPort: 53, protocol: 'udp', hostAddress: '0.0.0.0' }],
};

/** A guest whose `ip` says that it did, and did not. */
const deaf = (agent: MemoryAgent): void => void agent.programs.set('ip', () => ({}));

/** One that changes what it shows, and nothing else. */
const pretend = (agent: MemoryAgent): void =>
  void agent.programs.set('ip', ({ argv }) => {
    agent.interfaces.set('eth0', String(argv.at(-1)));
    return {};
  });

describe('a machine with a network', () => {
  test('has ports of its own that lead to it, and others after a reset', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked({ network: ssh });
    expect(machine.forwards).toEqual([
      { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 40_000, guestPort: 22 },
      { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 40_001, guestPort: 53 },
    ]);
    expect(qemu.words.join(' ')).toContain('-netdev user,id=network,restrict=on,ipv6=off');
    await machine.reset();
    expect(machine.forwards).toHaveLength(2);
    await machine[Symbol.asyncDispose]();
    expect(machine.forwards).toEqual([]);
  });

  test('has a card with an address of its own in every generation', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked({ network: { kind: 'user' } });
    const first = qemu.network.mac;
    await machine.reset();
    expect(world.newest.network.mac).toMatch(/^02:/);
    expect(world.newest.network.mac).not.toBe(first);
  });

  test('opens no port before its guest is renewed, nor for a process that waits', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared({ network: ssh, standby: 1 });
    await expect.poll(() => world.started.length).toBe(2);
    const told = (): readonly string[] => world.started[1]!.monitor.commands.map(({ execute }) => execute);
    expect(told()).not.toContain('human-monitor-command');
    await driver.fork(golden, { owner });
    expect(told().indexOf('human-monitor-command')).toBeGreaterThan(told().indexOf('query-rx-filter'));
  });

  test('is heard on a tap only when it has been renewed', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked({ network: { kind: 'tap', names: ['tap0'] } });
    expect(world.started[0]?.network.links).toEqual([false]);
    expect(qemu.words.join(' ')).toContain('ifname=tap0');
    expect(qemu.network.links).toEqual([true]);
    // There is one tap: the new process has it as soon as the old one is gone.
    await machine.reset();
    expect(world.newest.words.join(' ')).toContain('ifname=tap0');
  });

  test.each<[string, World['misbehaviour'], string]>([
    ['cannot set its card', { guest: (agent) => agent.programs.delete('ip') }, 'ip'],
    ['says that it has set its card, and has not', { guest: deaf }, 'has not taken on the address'],
    ['shows an address that its device has not', { guest: pretend }, 'has not taken on the address'],
    ['cannot have a port', { takenPorts: ['127.0.0.1:0'] }, 'tcp port 127.0.0.1:0 cannot be forwarded: Could not'],
  ])('is thrown away when it %s', async (_, misbehaviour, said) => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared({ network: ssh });
    const before = await world.files();
    world.misbehaviour = misbehaviour;
    await expect(driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      cause: { message: expect.stringContaining(said) },
    });
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual(before);
  });
});

describe('prepare', () => {
  test('refuses an image that does not see its card', async () => {
    await using world = await World.create();
    world.misbehaviour = { guest: (agent) => agent.interfaces.delete('eth0') };
    const driver = world.newDriver({ network: { kind: 'user' }, agentTimeoutMs: 600 });
    await expect(driver.prepare(world.image, { owner })).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: { message: expect.stringContaining('shows no network card') },
    });
  });

  test('makes templates of their own for what a guest may reach', async () => {
    await using world = await World.create();
    for (const network of [
      undefined,
      ssh,
      { kind: 'user', restrict: false, hostLoopback: true },
      { kind: 'tap', names: ['tap0'] },
    ] as const) {
      await world.newDriver(network === undefined ? {} : { network }).prepare(world.image, { owner });
    }
    await world.newDriver({ network: { kind: 'user' } }).prepare(world.image, { owner });
    expect(world.started.filter(({ isTemplate }) => isTemplate)).toHaveLength(4);
  });

  test('gives no way out because an image asks for it, and starts nothing then', async () => {
    await using world = await World.create();
    const image = { ...world.image, network: 'user' } as const;
    await expect(world.newDriver().prepare(image, { owner })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    expect(world.started).toEqual([]);
    expect(await world.files()).toEqual([]);
    await world.newDriver({ network: { kind: 'user' } }).prepare(image, { owner });
    expect(world.newest.words.join(' ')).toContain('restrict=on');
  });
});
