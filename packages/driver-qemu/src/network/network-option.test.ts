import { describe, expect, test } from 'vitest';
import { parseNetwork } from './network-option.ts';

const user = (forward: object): object => ({ kind: 'user', forwards: [{ guestPort: 22, ...forward }] });

describe('parseNetwork', () => {
  test('leaves it to the image when nothing is said', () => {
    expect(parseNetwork(undefined)).toBeUndefined();
  });

  test('forwards free ports of the loopback address to TCP ports, unless told otherwise', () => {
    expect(parseNetwork({ kind: 'user', forwards: [{ guestPort: 22 }] })).toEqual({
      kind: 'user',
      restrict: true,
      forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 0, guestPort: 22 }],
    });
    const other = { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 53, guestPort: 53 };
    expect(parseNetwork({ kind: 'user', forwards: [other] })).toMatchObject({ forwards: [other] });
    const open = parseNetwork({ kind: 'user', restrict: false, hostLoopback: true });
    expect(open).toMatchObject({ restrict: false });
    expect(parseNetwork({ kind: 'none' })).toEqual({ kind: 'none' });
    expect(parseNetwork({ kind: 'tap', names: ['tap0', 'tap1'] })).toEqual({ kind: 'tap', names: ['tap0', 'tap1'] });
  });

  test.each<[string, unknown, typeof TypeError | typeof RangeError]>([
    ['network', 'user', TypeError],
    ['network.kind', { kind: 'bridge' }, RangeError],
    ['network.forwards', { kind: 'none', forwards: [] }, TypeError],
    ['network.restricted', { kind: 'user', restricted: true }, TypeError],
    ['network.restrict', { kind: 'user', restrict: 'on' }, TypeError],
    ['network.hostLoopback', { kind: 'user', restrict: false }, RangeError],
    ['network.hostLoopback', { kind: 'user', restrict: false, hostLoopback: false }, RangeError],
    ['network.hostLoopback', { kind: 'user', hostLoopback: true }, RangeError],
    ['network.hostLoopback', { kind: 'user', restrict: false, hostLoopback: 'yes' }, TypeError],
    ['network.forwards', { kind: 'user', forwards: 22 }, TypeError],
    ['network.forwards[0]', { kind: 'user', forwards: [22] }, TypeError],
    ['network.forwards[0].host', user({ host: 1 }), TypeError],
    ['network.forwards[0].guestPort', user({ guestPort: 0 }), RangeError],
    ['network.forwards[0].guestPort', user({ guestPort: '22' }), TypeError],
    ['network.forwards[0].hostPort', user({ hostPort: 65_536 }), RangeError],
    ['network.forwards[0].hostAddress', user({ hostAddress: '1.2.3.4,restrict=off' }), RangeError],
    ['network.forwards[0].hostAddress', user({ hostAddress: '256.0.0.1' }), RangeError],
    ['network.forwards[0].hostAddress', user({ hostAddress: '1.2.3' }), RangeError],
    ['network.forwards[0].hostAddress', user({ hostAddress: '::1' }), RangeError],
    ['network.forwards[0].protocol', user({ protocol: 'sctp' }), RangeError],
    ['network.forwards', { kind: 'user', forwards: [{ guestPort: 22 }, { guestPort: 22 }] }, RangeError],
    [
      'network.forwards',
      { kind: 'user', forwards: [22, 23].map((guestPort) => ({ guestPort, hostPort: 80 })) },
      RangeError,
    ],
    ['network.names', { kind: 'tap' }, TypeError],
    ['network.names', { kind: 'tap', names: [] }, RangeError],
    ['network.names', { kind: 'tap', names: ['tap0', 'tap0'] }, RangeError],
    ['network.names[0]', { kind: 'tap', names: ['tap0,script=/bin/sh'] }, RangeError],
  ])('names %s in refusing %j', (name, network, error) => {
    const parse = (): unknown => parseNetwork(network);
    expect(parse).toThrow(error);
    expect(parse).toThrow(`options.${name} `);
  });
});
