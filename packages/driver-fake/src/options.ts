import {
  aClock,
  aFunction,
  type Clock,
  checkedBy,
  checkOptions,
  type DriverCapabilities,
  type OptionRules,
  objectOf,
  oneOf,
  requireKnownOptions,
  trueOrFalse,
  wholeNumber,
} from '@warmvm/core/driver';
import type { FaultScript } from './faults.ts';
import { createFakeHost, type FakeHost, Hypervisor } from './host.ts';
import { LATENCIES_SCHEMA, type Latencies, type LatencyOptions, parseLatencies } from './latency.ts';
import { defaultParts, type FakeParts } from './parts.ts';
import { type Random, seededRandom } from './random.ts';
import { aShortText } from './short-text.ts';

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

const CAPABILITY_RULES: OptionRules<Omit<DriverCapabilities, 'standby'>> = {
  reset: oneOf('memory', 'disk', 'none'),
  stateEvents: trueOrFalse,
  guestAgent: trueOrFalse,
  forkCost: oneOf('constant', 'grows-with-memory', 'boot'),
  concurrentForks: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  survivesReconnect: trueOrFalse,
};

/** What each option may be; `optionsSchema` makes a JSON schema of it. */
export const fakeOptionRules: OptionRules<FakeDriverOptions> = {
  host: checkedBy((name, value) => {
    if (!(value instanceof Hypervisor)) throw new TypeError(`${name} must come from createFakeHost of this package`);
  }),
  clock: aClock,
  capabilities: objectOf(CAPABILITY_RULES),
  latency: checkedBy((_name, value) => void parseLatencies(value as LatencyOptions), LATENCIES_SCHEMA),
  faults: aFunction,
  random: aFunction,
  name: aShortText,
  acceptUnrenewable: trueOrFalse,
  parts: checkedBy((name, value) => requireKnownOptions(value, Object.keys(defaultParts), name)),
};

const CAPABILITIES: DriverCapabilities = {
  reset: 'memory',
  stateEvents: true,
  guestAgent: true,
  forkCost: 'constant',
  concurrentForks: 8,
  survivesReconnect: true,
};

/** @throws TypeError or RangeError for a bad option */
export function parseOptions(options: FakeDriverOptions): ParsedOptions {
  checkOptions(options, fakeOptionRules);
  const { clock, faults, random, capabilities = {}, name = 'fake', acceptUnrenewable = false } = options;
  const host = (options.host ?? createFakeHost(clock === undefined ? {} : { clock })) as Hypervisor;
  const given = Object.entries(capabilities).filter(([, value]) => value !== undefined);
  return {
    host,
    clock: clock ?? host.clock,
    capabilities: Object.freeze({ ...CAPABILITIES, ...Object.fromEntries(given) }),
    latencies: parseLatencies(options.latency),
    faults,
    random: random ?? seededRandom(host.nextSeed()),
    name,
    acceptUnrenewable,
    parts: { ...defaultParts, ...options.parts },
  };
}
