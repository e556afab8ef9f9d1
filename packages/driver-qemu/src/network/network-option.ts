import { optionMistake, requireKnownOptions } from '@warmvm/core/driver';
import { INTERFACE_NAME } from '../command-line/interface-name.ts';

/** What machines' network card is plugged into: see `QemuDriverOptions.network`. */
export type QemuNetwork =
  /** No card, also where the image asks for one. */
  { readonly kind: 'none' } | QemuUserNetwork | QemuTapNetwork;

/** A network of each machine's own, made by QEMU: the guest is 10.0.2.15. */
export interface QemuUserNetwork {
  readonly kind: 'user';
  /**
   * The guest reaches nothing. When false, it reaches what the user who runs QEMU reaches; QEMU cannot keep the loopback address of this
   * computer out of that, so `hostLoopback` must say that it may.
   * @default true
   */
  readonly restrict?: boolean;
  /** With `restrict: false`: the guest may reach what listens on this computer's loopback address, as 10.0.2.2. @default false */
  readonly hostLoopback?: boolean;
  /** Ports of this computer that lead to the guest, opened when it has been renewed. @default none */
  readonly forwards?: readonly QemuForward[];
}

/** One forwarded port, of each machine. */
export interface QemuForward {
  /** 1 to 65535. */
  readonly guestPort: number;
  /** 1 to 65535; 0: a free one for each machine, which `forwards` of the machine and the lease tells. @default 0 */
  readonly hostPort?: number;
  /** IPv4 address to listen at. @default '127.0.0.1' */
  readonly hostAddress?: string;
  /** @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp';
}

/** Tap devices of this computer, one for each machine: who is on the other end is the host's business. */
export interface QemuTapNetwork {
  readonly kind: 'tap';
  /** Existing devices that QEMU's user owns, as many as there are machines and processes that wait. */
  readonly names: readonly string[];
}

/** {@link QemuNetwork} with every default filled in that does not depend on the image. */
export type ParsedNetwork =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'user';
      readonly restrict: boolean;
      readonly forwards: readonly Required<QemuForward>[];
    }
  | { readonly kind: 'tap'; readonly names: readonly string[] };

const MOST_FORWARDS = 64;
const MOST_TAPS = 1024;
const ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

const PORT_SCHEMA = { type: 'integer', maximum: 65_535 };

/** {@link QemuNetwork} as JSON schema. */
export const NETWORK_SCHEMA: Readonly<Record<string, unknown>> = {
  type: 'object',
  properties: {
    kind: { enum: ['none', 'user', 'tap'] },
    restrict: { type: 'boolean' },
    hostLoopback: { type: 'boolean' },
    forwards: {
      type: 'array',
      maxItems: MOST_FORWARDS,
      items: {
        type: 'object',
        properties: {
          guestPort: { ...PORT_SCHEMA, minimum: 1 },
          hostPort: { ...PORT_SCHEMA, minimum: 0 },
          hostAddress: { type: 'string', format: 'ipv4' },
          protocol: { enum: ['tcp', 'udp'] },
        },
        required: ['guestPort'],
        additionalProperties: false,
      },
    },
    names: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: MOST_TAPS },
  },
  required: ['kind'],
  additionalProperties: false,
};

/** @throws TypeError, RangeError naming the option, its value and what was expected */
export function parseNetwork(network: unknown): ParsedNetwork | undefined {
  if (network === undefined) return undefined;
  const { kind } = (network ?? {}) as { kind?: unknown };
  const only = (...names: readonly string[]): Readonly<Record<string, unknown>> => {
    requireKnownOptions(network, ['kind', ...names], 'options.network');
    return network;
  };
  switch (kind) {
    case 'none':
      only();
      return { kind };
    case 'user': {
      const { restrict, hostLoopback, forwards = [] } = only('restrict', 'hostLoopback', 'forwards');
      return { kind, restrict: parseRestrict(restrict, hostLoopback), forwards: parseForwards(forwards) };
    }
    case 'tap':
      return { kind, names: parseNames(only('names').names) };
    default:
      if (typeof network !== 'object') throw wrong(TypeError, 'network', network, 'an object');
      throw wrong(RangeError, 'network.kind', kind, 'none, user or tap');
  }
}

/** A guest that reaches anything reaches the loopback address too, on every QEMU: nobody gets that without asking for it by name. */
function parseRestrict(restrict: unknown = true, hostLoopback: unknown = false): boolean {
  if (typeof restrict !== 'boolean') throw wrong(TypeError, 'network.restrict', restrict, 'a boolean');
  if (typeof hostLoopback !== 'boolean') throw wrong(TypeError, 'network.hostLoopback', hostLoopback, 'a boolean');
  if (restrict === hostLoopback) {
    const expected = restrict
      ? 'false, since a guest with restrict: true reaches nothing'
      : `true, since QEMU cannot give a guest a way out and keep what listens on this computer's loopback address from it; use kind 'tap' where it must be kept`;
    throw wrong(RangeError, 'network.hostLoopback', hostLoopback, expected);
  }
  return restrict;
}

function parseNames(names: unknown): readonly string[] {
  const list = listOf('network.names', names, 1, MOST_TAPS).map((name, index) => {
    if (typeof name === 'string' && INTERFACE_NAME.test(name)) return name;
    throw wrong(RangeError, `network.names[${index}]`, name, 'the name of a network interface');
  });
  if (new Set(list).size !== list.length) throw wrong(RangeError, 'network.names', list, 'names that differ');
  return list;
}

function parseForwards(forwards: unknown): readonly Required<QemuForward>[] {
  const list = listOf('network.forwards', forwards, 0, MOST_FORWARDS).map(parseForward);
  const targets = list.map(({ protocol, hostAddress, guestPort }) => `${protocol} ${hostAddress} ${guestPort}`);
  const sources = list.filter(({ hostPort }) => hostPort > 0).map((one) => `${one.protocol} ${one.hostPort}`);
  for (const words of [targets, sources]) {
    const repeated = words.find((word, index) => words.indexOf(word) !== index);
    if (repeated !== undefined) throw wrong(RangeError, 'network.forwards', repeated, 'each port once');
  }
  return list;
}

function parseForward(value: unknown, index: number): Required<QemuForward> {
  const name = `network.forwards[${index}]`;
  requireKnownOptions(value, ['guestPort', 'hostPort', 'hostAddress', 'protocol'], `options.${name}`);
  const { guestPort, hostPort = 0, hostAddress = '127.0.0.1', protocol = 'tcp' } = value;
  if (protocol !== 'tcp' && protocol !== 'udp') throw wrong(RangeError, `${name}.protocol`, protocol, 'tcp or udp');
  if (typeof hostAddress !== 'string' || !ADDRESS.test(hostAddress)) {
    throw wrong(RangeError, `${name}.hostAddress`, hostAddress, 'an IPv4 address');
  }
  return {
    guestPort: parsePort(`${name}.guestPort`, guestPort, 1),
    hostPort: parsePort(`${name}.hostPort`, hostPort, 0),
    hostAddress,
    protocol,
  };
}

function parsePort(name: string, value: unknown, least: number): number {
  if (typeof value !== 'number') throw wrong(TypeError, name, value, 'a number');
  if (Number.isInteger(value) && value >= least && value <= 65_535) return value;
  throw wrong(RangeError, name, value, `a whole number from ${least} to 65535`);
}

function listOf(name: string, value: unknown, least: number, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(TypeError, name, value, 'an array');
  if (value.length >= least && value.length <= most) return value;
  throw wrong(RangeError, name, value, `${least} to ${most} of them`);
}

function wrong(kind: typeof TypeError | typeof RangeError, name: string, value: unknown, expected: string): Error {
  return optionMistake(kind, `options.${name}`, value, expected);
}
