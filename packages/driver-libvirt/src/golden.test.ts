import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

describe('an image', () => {
  test('without a renewal program is refused before anything is made', async () => {
    await using world = await World.create();
    const { renewal: _none, ...image } = world.image;
    await expect(world.prepare(image)).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID', retryable: false });
    expect(world.host.storage.pools.size).toBe(0);
  });

  test('with a user network is refused unless the host’s loopback address is asked for by name', async () => {
    await using closed = await World.create();
    await expect(closed.prepare({ ...closed.image, network: 'user' })).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      details: { expected: expect.stringContaining('hostLoopback') },
    });
    expect(closed.host.storage.pools.size).toBe(0);
    await using open = await World.create({ hostLoopback: true });
    await expect(open.prepare({ ...open.image, network: 'user' })).resolves.toMatchObject({
      image: { network: 'user' },
    });
  });

  test('with a second disk is not supported', async () => {
    await using world = await World.create();
    const boot = { kind: 'disk', disk: {} as never, format: 'qcow2', diskBytes: 1, seed: {} as never } as const;
    await expect(world.prepare({ ...world.image, boot })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });

  test('with a raw disk is not supported', async () => {
    await using world = await World.create();
    const boot = { kind: 'disk', disk: {} as never, format: 'raw', diskBytes: 1 } as const;
    await expect(world.prepare({ ...world.image, boot })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });

  test('whose file is missing is invalid', async () => {
    await using world = await World.create();
    const initrd = { path: '/nowhere/initrd', digest: 'sha256:0', sizeBytes: 1 };
    const boot = { ...world.image.boot, initrd } as typeof world.image.boot;
    await expect(world.prepare({ ...world.image, boot })).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: { code: 'ENOENT' },
    });
    expect(world.host.inventory).toEqual([]);
  });

  test('whose agent never answers is invalid after the time for a boot', async () => {
    await using world = await World.create({ bootTimeoutMs: 5_000 });
    const { promise: booted, resolve } = Promise.withResolvers<void>();
    world.host.guests.onReply = async () => {
      resolve();
      return undefined;
    };
    const preparing = world.prepare();
    const rejected = expect(preparing).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: { code: 'WARMVM_GUEST_UNRESPONSIVE' },
      details: { timeoutMs: 5_000 },
    });
    await booted;
    await world.clock.advance(5_000);
    await rejected;
    expect(world.host.inventory).toEqual([]);
  });

  test('whose guest is waited for is given up when nobody wants it any more', async () => {
    await using world = await World.create();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    world.host.guests.onReply = async () => {
      controller.abort(reason);
      return undefined;
    };
    await expect(world.driver.prepare(world.image, { owner, signal: controller.signal })).rejects.toBe(reason);
    expect(world.host.inventory).toEqual([]);
  });

  test.each([
    ['has no renewal program', 'exec'],
    ['renews with an exit code', 'exit'],
    ['answers with something else', 'answer'],
  ])('whose guest %s is invalid', async (_what, check) => {
    await using world = await World.create();
    world.host.guests.onStart = ({ agent }) => {
      if (check === 'exec') agent.programs.delete(world.image.renewal?.command ?? '');
      else agent.programs.set(world.image.renewal?.command ?? '', () => ({ exitCode: check === 'exit' ? 3 : 0 }));
    };
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: { code: 'WARMVM_NOT_READY', details: { check } },
    });
    expect(world.host.inventory).toEqual([]);
  });

  test.each(['sync', 'freeze', 'thaw'])('whose guest cannot be quiesced (%s) is invalid', async (failing) => {
    await using world = await World.create();
    world.host.guests.onReply = async ({ execute }, reply) =>
      execute === `guest-fsfreeze-${failing}`
        ? Buffer.from('{"error": {"class": "GenericError", "desc": "no"}}\n')
        : reply;
    world.host.guests.onStart = ({ agent }) => {
      if (failing === 'sync') agent.programs.set('sync', () => ({ exitCode: 1 }));
    };
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      message: expect.stringContaining('could not be quiesced'),
    });
    expect(world.host.inventory).toEqual([]);
  });
});
