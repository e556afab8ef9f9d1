import { PassThrough } from 'node:stream';
import { ErrorNumber } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

const transport = { agentTransport: 'libvirt' } as const;
const NOT_CONNECTED = {
  code: ErrorNumber.AGENT_UNRESPONSIVE,
  message: 'Guest agent is not responding: QEMU guest agent is not connected',
};

describe('the agent through the daemon', () => {
  test('is taken where libvirt is older than 8.2', async () => {
    await using world = await World.create();
    world.host.libraryVersion = 8_001_000;
    const machine = await world.driver.fork(await world.prepare(), { owner });
    expect(world.host.calls).not.toContain('domainOpenChannel');
    expect(world.host.calls).toContain('domainAgentCommand');
    await machine.reset();
    expect(machine.generation).toBe(2);
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('is asked again until it is connected', async () => {
    await using world = await World.create(transport);
    let refusals = 0;
    world.host.script('domainAgentCommand', async () => {
      refusals += 1;
      if (refusals > 3) return undefined;
      setImmediate(() => world.clock.advance(100));
      return NOT_CONNECTED;
    });
    await expect(world.prepare()).resolves.toMatchObject({ digest: world.image.digest });
    expect(refusals).toBeGreaterThan(3);
  });

  test('that never connects makes an image invalid', async () => {
    await using world = await World.create({ ...transport, bootTimeoutMs: 1_000 });
    world.host.script('domainAgentCommand', async () => {
      setImmediate(() => world.clock.advance(100));
      return NOT_CONNECTED;
    });
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: { code: 'WARMVM_GUEST_UNRESPONSIVE' },
    });
    expect(world.host.inventory).toEqual([]);
  });

  test('passes the guest’s refusals on', async () => {
    await using world = await World.create(transport);
    const machine = await world.driver.fork(await world.prepare(), { owner });
    await expect(machine.guest.readFile('/nowhere')).rejects.toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
  });

  test('says when the machine is gone', async () => {
    await using world = await World.create(transport);
    const machine = await world.driver.fork(await world.prepare(), { owner });
    await machine[Symbol.asyncDispose]();
    await expect(machine.guest.ping()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });
});

describe('the agent over a line of our own', () => {
  test('is reached by a name that libvirt leaves alone', async () => {
    await using world = await World.create();
    const names: unknown[] = [];
    world.host.script('domainOpenChannel', ({ name }) => {
      names.push(name);
      return undefined;
    });
    await world.prepare();
    expect(names).toEqual(['warmvm.agent.0']);
  });

  test('ends with the machine, also for what is under way and for whoever took the guest before', async () => {
    await using world = await World.create();
    const machine = await world.driver.fork(await world.prepare(), { owner });
    const { guest } = machine;
    const gone = { code: 'WARMVM_MACHINE_GONE', retryable: false };
    const underWay = expect(guest.exec(['sleep'])).rejects.toMatchObject(gone);
    await machine[Symbol.asyncDispose]();
    await underWay;
    await expect(guest.ping()).rejects.toMatchObject(gone);
    await expect(machine.guest.ping()).rejects.toMatchObject(gone);
  });
});

describe.each(['channel', 'libvirt'] as const)('the time that a guest has for one answer over %s', (agentTransport) => {
  test('is agentTimeoutMs, whatever is asked, and the error says so', async () => {
    await using world = await World.create({ agentTransport, agentTimeoutMs: 77_000 });
    let isSilent = false;
    world.host.guests.onReply = (_command, reply) => (isSilent ? undefined : reply);
    const machine = await world.driver.fork(await world.prepare(), { owner });
    isSilent = true;
    world.host.script('domainAgentCommand', () => 'hang');
    const asked = machine.guest.readFile('/run/anything');
    const failed = expect(asked).rejects.toMatchObject({ message: expect.stringContaining('agentTimeoutMs') });
    let isOver = false;
    void asked.catch(() => {
      isOver = true;
    });
    await world.clock.advance(76_000);
    expect(isOver).toBe(false);
    await world.clock.advance(200_000);
    await failed;
  });
});

test('a guest that never answers says how long it had, and by which option', async () => {
  await using world = await World.create({ bootTimeoutMs: 90_000 });
  const { promise: waits, resolve: connected } = Promise.withResolvers<void>();
  world.host.guests.onStart = ({ agent }) => {
    agent.connect = () => {
      connected();
      return new PassThrough() as never;
    };
  };
  const failed = expect(world.prepare()).rejects.toMatchObject({
    code: 'WARMVM_GOLDEN_INVALID',
    message: expect.stringMatching(/90000 ms.*bootTimeoutMs/),
    details: { option: 'bootTimeoutMs' },
  });
  await waits;
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  failed.then(over, over);
  while (!isOver) await world.clock.advance(1_000);
  await failed;
});
