import type { GoldenImage } from '@warmvm/core/driver';
import { stubImage, VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { type ParsedNetwork, parseNetwork } from './network-option.ts';
import { Plugs } from './plugs.ts';

const image = (network: GoldenImage['network']): GoldenImage => ({ ...stubImage, network });
const open: ParsedNetwork | undefined = parseNetwork({ kind: 'user', restrict: false, hostLoopback: true });
const taps = (names: readonly string[], clock = new VirtualClock()): Plugs =>
  new Plugs(parseNetwork({ kind: 'tap', names }), clock);
const unplugged = { kind: 'unplugged', mac: '52:54:00:12:34:56' } as const;
const limits = { timeoutMs: 1000 };

describe('the network of a template', () => {
  test.each<[string, ParsedNetwork | undefined, GoldenImage['network'], object]>([
    ['nothing', undefined, 'none', { kind: 'none' }],
    ['nothing, whatever the image asks for', { kind: 'none' }, 'user', { kind: 'none' }],
    ['no way out', parseNetwork({ kind: 'user' }), 'none', { kind: 'user', restrict: true }],
    [
      'no way out, whatever the image asks for',
      parseNetwork({ kind: 'user' }),
      'user',
      { kind: 'user', restrict: true },
    ],
    ['the way out that the driver was told of', open, 'none', { kind: 'user', restrict: false }],
    ['no cable where forks get taps', parseNetwork({ kind: 'tap', names: ['t'] }), 'user', { kind: 'unplugged' }],
  ])('is %s', (_, network, asked, expected) => {
    expect(new Plugs(network, new VirtualClock()).ofTemplate(image(asked))).toMatchObject(expected);
  });

  test('is refused where an image alone asks for what opens the loopback address, and says how to allow it', () => {
    const plugs = new Plugs(undefined, new VirtualClock());
    expect(() => plugs.ofTemplate(image('user'))).toThrow(/options\.network: .*hostLoopback: true/);
  });
});

describe('the plug of a fork', () => {
  test('has a locally administered address of its own', async () => {
    const plugs = new Plugs(open, new VirtualClock());
    const template = plugs.ofTemplate(image('none'));
    const macs = await Promise.all([1, 2, 3].map(() => plugs.take(template, limits)));
    const addresses = macs.map(({ plan }) => (plan.kind === 'none' ? '' : plan.mac));
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^02(:[0-9a-f]{2}){5}$/);
  });

  test('is a tap that nobody has, and goes to who waits longest when it is given back', async () => {
    const plugs = taps(['tap0']);
    const first = await plugs.take(unplugged, limits);
    expect(first.plan).toMatchObject({ kind: 'tap', name: 'tap0' });
    const [second, third] = [plugs.take(unplugged, limits), plugs.take(unplugged, limits)];
    first.giveBack();
    first.giveBack();
    (await second).giveBack();
    (await third).giveBack();
    expect((await plugs.take(unplugged, limits)).plan).toMatchObject({ name: 'tap0' });
  });

  test('that does not come free in time is said', async () => {
    const clock = new VirtualClock();
    const plugs = taps(['tap0'], clock);
    const held = await plugs.take(unplugged, limits);
    const late = expect(plugs.take(unplugged, limits)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      details: { taps: 1 },
    });
    await clock.advance(1000);
    await late;
    held.giveBack();
    expect((await plugs.take(unplugged, limits)).plan).toMatchObject({ name: 'tap0' });
  });

  test('is not waited for any longer after an abort', async () => {
    const plugs = taps(['tap0']);
    const held = await plugs.take(unplugged, limits);
    const controller = new AbortController();
    const waiting = expect(plugs.take(unplugged, { ...limits, signal: controller.signal })).rejects.toBe('no');
    controller.abort('no');
    await waiting;
    held.giveBack();
    expect((await plugs.take(unplugged, limits)).plan).toMatchObject({ name: 'tap0' });
  });
});
