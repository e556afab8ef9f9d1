import type { Clock, DriverCapabilities } from '@warmvm/core/driver';
import type { FaultScript } from './faults.ts';
import { createFakeHost, type FakeHost, Hypervisor } from './host.ts';
import { type Latencies, type LatencyOptions, parseLatencies } from './latency.ts';
import { defaultParts, type FakeParts } from './parts.ts';
import { type Random, seededRandom } from './random.ts';
import { atLeast, known, oneOf, textOption } from './validate.ts';

/** Options of `createFakeDriver`. */
export interface FakeDriverOptions {
  /** The hypervisor to connect to. @default a new one on `clock` */
  readonly host?: FakeHost;
  /** Time for latencies and timeouts. @default the host's clock */
  readonly clock?: Clock;
  /** Changes to the manifest; the driver then behaves accordingly. @default resets memory, has events and a guest agent */
  readonly capabilities?: Partial<DriverCapabilities>;
  readonly latency?: LatencyOptions;
  /** Decides which calls go wrong. @default none does */
  readonly faults?: FaultScript;
  /** Source of ids, seeds and spread latencies. @default a seeded sequence, another for each driver of a host, the same in every run */
  readonly random?: Random;
  /** Name of the driver. @default 'fake' */
  readonly name?: string;
  /** Take images without `renewal`, whose guests then keep the identity of the golden snapshot. @default false */
  readonly acceptUnrenewable?: boolean;
  /** Replaces pieces of the driver to make it wrong on purpose. @default none */
  readonly parts?: Partial<FakeParts>;
}

/** Options with everything decided. */
export interface ParsedOptions {
  readonly host: Hypervisor;
  readonly clock: Clock;
  readonly capabilities: DriverCapabilities;
  readonly latencies: Latencies;
  readonly faults: FaultScript | undefined;
  readonly random: Random;
  readonly name: string;
  readonly acceptUnrenewable: boolean;
  readonly parts: FakeParts;
}

const NAMES: readonly (keyof FakeDriverOptions)[] = [
  'host',
  'clock',
  'capabilities',
  'latency',
  'faults',
  'random',
  'name',
  'acceptUnrenewable',
  'parts',
];

/** @throws TypeError or RangeError for a bad option */
export function parseOptions(options: FakeDriverOptions): ParsedOptions {
  known('FakeDriverOptions', options, NAMES);
  const { clock, faults, random, parts = {} } = options;
  const host = options.host ?? createFakeHost(clock === undefined ? {} : { clock });
  if (!(host instanceof Hypervisor)) throw new TypeError('host must come from createFakeHost of this package');
  if (clock !== undefined && typeof clock?.setTimer !== 'function') throw new TypeError('clock must be a Clock');
  if (faults !== undefined && typeof faults !== 'function') throw new TypeError('faults must be a function');
  if (random !== undefined && typeof random !== 'function') throw new TypeError('random must be a function');
  known('parts', parts, Object.keys(defaultParts));
  return {
    host,
    clock: clock ?? host.clock,
    capabilities: parseCapabilities(options.capabilities),
    latencies: parseLatencies(options.latency),
    faults,
    random: random ?? seededRandom(host.nextSeed()),
    name: textOption('name', options.name, 'fake'),
    acceptUnrenewable: oneOf('acceptUnrenewable', options.acceptUnrenewable, false, [true, false]),
    parts: { ...defaultParts, ...parts },
  };
}

const RESETS: readonly DriverCapabilities['reset'][] = ['memory', 'disk', 'none'];
const FORK_COSTS: readonly DriverCapabilities['forkCost'][] = ['constant', 'grows-with-memory', 'boot'];

function parseCapabilities(given: Partial<DriverCapabilities> = {}): DriverCapabilities {
  const names = ['reset', 'stateEvents', 'guestAgent', 'forkCost', 'concurrentForks', 'survivesReconnect'];
  known('capabilities', given, names);
  const flag = (name: 'stateEvents' | 'guestAgent' | 'survivesReconnect'): boolean =>
    oneOf(`capabilities.${name}`, given[name], true, [true, false]);
  return Object.freeze({
    reset: oneOf('capabilities.reset', given.reset, 'memory', RESETS),
    stateEvents: flag('stateEvents'),
    guestAgent: flag('guestAgent'),
    forkCost: oneOf('capabilities.forkCost', given.forkCost, 'constant', FORK_COSTS),
    concurrentForks: atLeast('capabilities.concurrentForks', given.concurrentForks, 8, 1),
    survivesReconnect: flag('survivesReconnect'),
  });
}
