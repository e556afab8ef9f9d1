import { type MachineId, requireKnownOptions } from '@warmvm/core/driver';
import type { Random } from './random.ts';

/** What a scripted latency is told of the call. */
export interface LatencyContext {
  readonly operation: string;
  /** Number of this call among the driver's calls of the operation, from 1; for `poll` and `event`, since the watch began. */
  readonly attempt: number;
  /** Calls of the operation that are under way on this driver, this one included. */
  readonly inFlight: number;
  readonly machineId: MachineId | null;
  readonly nowMs: number;
}

/** A fixed time, an even spread, or a function of the call. In milliseconds. */
export type Latency =
  | number
  | { readonly minMs: number; readonly maxMs: number }
  | ((context: LatencyContext) => number);

/** How long the fake takes for what. Exact on a virtual clock. */
export interface LatencyOptions {
  /** @default 40 */
  readonly prepareMs?: Latency;
  /** @default 8 */
  readonly forkMs?: Latency;
  /** @default 5 */
  readonly resetMs?: Latency;
  /** Dispose of one machine or golden snapshot. @default 3 */
  readonly destroyMs?: Latency;
  /** @default 1 */
  readonly listMs?: Latency;
  /** @default 2 */
  readonly adoptMs?: Latency;
  /** @default 3 */
  readonly removeMs?: Latency;
  /** @default 1 */
  readonly pingMs?: Latency;
  /** @default 0 */
  readonly stateMs?: Latency;
  /** From a fact on the host to its delivery by `watch`, where the driver has events. @default 1 */
  readonly eventMs?: Latency;
  /** Between two polls of `watch`, where it has none. @default 50, 100, 200, 400, then 500 since the last change */
  readonly pollMs?: Latency;
  /** Before a program in the guest begins. @default 2 */
  readonly execMs?: Latency;
  /** Every other call to the guest. @default 1 */
  readonly guestMs?: Latency;
}

/** A latency of every kind. */
export type Latencies = Required<LatencyOptions>;

const POLL_MS: readonly number[] = [50, 100, 200, 400, 500];

const DEFAULTS: Latencies = {
  prepareMs: 40,
  forkMs: 8,
  resetMs: 5,
  destroyMs: 3,
  listMs: 1,
  adoptMs: 2,
  removeMs: 3,
  pingMs: 1,
  stateMs: 0,
  eventMs: 1,
  pollMs: ({ attempt }) => POLL_MS[Math.min(attempt, POLL_MS.length) - 1]!,
  execMs: 2,
  guestMs: 1,
};

const DURATION_SCHEMA = { type: 'number', minimum: 0 };
const LATENCY_SCHEMA = {
  anyOf: [
    DURATION_SCHEMA,
    {
      type: 'object',
      properties: { minMs: DURATION_SCHEMA, maxMs: DURATION_SCHEMA },
      required: ['minMs', 'maxMs'],
      additionalProperties: false,
    },
  ],
};

/** {@link LatencyOptions} as JSON schema, without its functions. */
export const LATENCIES_SCHEMA: Readonly<Record<string, unknown>> = {
  type: 'object',
  properties: Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, LATENCY_SCHEMA])),
  additionalProperties: false,
};

/** @throws TypeError or RangeError for a latency that is none */
export function parseLatencies(options: LatencyOptions = {}): Latencies {
  requireKnownOptions(options, Object.keys(DEFAULTS), 'options.latency');
  const given = Object.entries(options).filter(([, latency]) => latency !== undefined);
  for (const [name, latency] of given as [string, Latency][]) {
    if (typeof latency === 'function') continue;
    if (typeof latency === 'number') {
      duration(`options.latency.${name}`, latency);
    } else if (typeof latency === 'object' && latency !== null) {
      duration(`options.latency.${name}.minMs`, latency.minMs);
      duration(`options.latency.${name}.maxMs`, latency.maxMs);
      if (latency.minMs > latency.maxMs)
        throw new RangeError(`options.latency.${name}.minMs must not be above its maxMs`);
    } else {
      throw new TypeError(
        `options.latency.${name} must be a number, { minMs, maxMs } or a function, got ${String(latency)}`,
      );
    }
  }
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

/**
 * The time this call takes.
 * @throws RangeError when a function gave no duration
 */
export function drawLatency(name: string, latency: Latency, context: LatencyContext, random: Random): number {
  if (typeof latency === 'number') return latency;
  if (typeof latency === 'function') return duration(`latency.${name}`, latency(context));
  return latency.minMs + random() * (latency.maxMs - latency.minMs);
}

function duration(name: string, value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number of milliseconds, got ${typeof value}`);
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(`${name} must be a finite number of at least 0 milliseconds, got ${value}`);
  }
  return value;
}
