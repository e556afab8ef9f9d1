import type { Driver } from '../driver/driver.ts';
import { checkDriver } from '../reset/snapshot-reset-options.ts';
import { checkDurationMs, checkInteger, checkKeys, checkMethods, describeValue } from '../validation/check.ts';

/** One of the hosts of a pool: its driver, and how much of the pool may be there. */
export interface HostOptions {
  /** Serves the host. It stays the caller's: close does not dispose it. */
  readonly driver: Driver;
  /** Names the host in stats, events and errors, and for `drain`. Letters, digits, `.`, `-`, `_`; 1 to 64. @default the driver's name, numbered where several have the same */
  readonly name?: string;
  /** Bound on footprints on this host, within the pool's `max`. @default the pool's max */
  readonly max?: number;
  /** Forks at a time there; never more than the driver is good for. @default the pool's forkConcurrency */
  readonly forkConcurrency?: number;
  /** Resets at a time there. @default the pool's resetConcurrency */
  readonly resetConcurrency?: number;
}

/** How a host that has gone silent is found out. */
export interface HeartbeatOptions {
  /** How long after an answered ping the next one begins; `Infinity` for none. @default 10000 */
  readonly everyMs?: number;
  /** How long a ping may take. @default 10000 */
  readonly timeoutMs?: number;
  /** Pings in a row without an answer after which the host counts as lost. @default 3 */
  readonly misses?: number;
}

/** {@link HostOptions}, checked and with every default filled in. */
export interface CheckedHost {
  readonly driver: Driver;
  readonly name: string;
  /** Machines; `Infinity` where the pool's `max` alone bounds it. */
  readonly max: number;
  /** What its driver keeps there besides machines. */
  readonly standby: number;
  readonly forkConcurrency: number;
  readonly resetConcurrency: number;
  /** Whether its machines are reset at all, rather than replaced. */
  readonly resettable: boolean;
}

/** What the pool says for each of its hosts. */
export interface HostDefaults {
  readonly forkConcurrency: number | undefined;
  readonly resetConcurrency: number | undefined;
  readonly reset: 'auto' | 'never';
}

/** Most machines one pool may have: more than any single host runs, and small enough to scan. */
export const LARGEST_POOL = 10_000;

/** Most hosts one pool may have: each is looked at whenever a machine is to be made. */
export const MOST_HOSTS = 256;

const expected = 'a driver, or an object of driver, name, max, forkConcurrency and resetConcurrency';

/**
 * The hosts of a pool, of `driver` or of `drivers`.
 * @throws TypeError, RangeError naming the option, its value, and what was expected
 */
export function parseHosts(
  options: { readonly driver?: Driver; readonly drivers?: readonly (Driver | HostOptions)[] },
  defaults: HostDefaults,
): readonly CheckedHost[] {
  const { driver, drivers } = options;
  if (drivers === undefined) return nameAll([checkHost('', { driver: checkDriver(driver as Driver) }, defaults)]);
  if (driver !== undefined) throw new TypeError('driver and drivers are both given; expected one of them');
  if (!Array.isArray(drivers))
    throw new TypeError(`drivers is ${describeValue(drivers)}; expected an array of drivers`);
  if (drivers.length === 0 || drivers.length > MOST_HOSTS) {
    throw new RangeError(`drivers has ${drivers.length} entries; expected 1 to ${MOST_HOSTS}`);
  }
  return nameAll(
    drivers.map((entry: Driver | HostOptions, index) => {
      const place = `drivers[${index}]`;
      checkMethods(place, entry, [], expected);
      if (!('driver' in entry)) return checkHost(`${place}.`, { driver: checkDriver(entry, place) }, defaults);
      checkKeys(place, entry, ['driver', 'name', 'max', 'forkConcurrency', 'resetConcurrency']);
      checkDriver(entry.driver, `${place}.driver`);
      return checkHost(`${place}.`, entry, defaults);
    }),
  );
}

/** @throws TypeError, RangeError */
export function parseHeartbeat(heartbeat: HeartbeatOptions): Required<HeartbeatOptions> {
  checkMethods('heartbeat', heartbeat, [], 'an object of everyMs, timeoutMs and misses');
  checkKeys('heartbeat', heartbeat, ['everyMs', 'timeoutMs', 'misses']);
  return {
    everyMs: checkDurationMs('heartbeat.everyMs', heartbeat.everyMs ?? 10_000, { minimum: 1, unbounded: true }),
    timeoutMs: checkDurationMs('heartbeat.timeoutMs', heartbeat.timeoutMs ?? 10_000, { minimum: 1 }),
    misses: checkInteger('heartbeat.misses', heartbeat.misses ?? 3, 1, 1_000),
  };
}

function checkHost(
  place: string,
  host: HostOptions,
  defaults: HostDefaults,
): Omit<CheckedHost, 'name'> & { readonly name: string | undefined } {
  const { driver } = host;
  const { concurrentForks } = driver.capabilities;
  const standby = checkInteger(
    `${place}driver.capabilities.standby`,
    driver.capabilities.standby ?? 0,
    0,
    LARGEST_POOL,
  );
  const isGiven = place !== '' && host.forkConcurrency !== undefined;
  const forkConcurrency = host.forkConcurrency ?? defaults.forkConcurrency ?? concurrentForks;
  const resetConcurrency = host.resetConcurrency ?? defaults.resetConcurrency ?? 2;
  return {
    driver,
    name: host.name === undefined ? undefined : checkHostName(`${place}name`, host.name),
    max:
      host.max === undefined
        ? Number.POSITIVE_INFINITY
        : checkInteger(`${place}max`, host.max, 1 + standby, LARGEST_POOL) - standby,
    standby,
    forkConcurrency: Math.min(
      checkInteger(`${place}driver.capabilities.concurrentForks`, concurrentForks, 1, LARGEST_POOL),
      checkInteger(`${isGiven ? place : ''}forkConcurrency`, forkConcurrency, 1, LARGEST_POOL),
    ),
    resetConcurrency: checkInteger(
      `${host.resetConcurrency === undefined ? '' : place}resetConcurrency`,
      resetConcurrency,
      1,
      LARGEST_POOL,
    ),
    resettable: defaults.reset === 'auto' && driver.capabilities.reset !== 'none',
  };
}

function checkHostName(place: string, name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(name)) return name;
  throw new TypeError(`${place} is ${describeValue(name)}; expected 1 to 64 letters, digits, ., - and _`);
}

/** Names those that have none after their driver, and refuses what would be one host twice. */
function nameAll(hosts: readonly ReturnType<typeof checkHost>[]): readonly CheckedHost[] {
  const named: CheckedHost[] = [];
  for (const [index, host] of hosts.entries()) {
    const isAlone = hosts.filter((other) => other.driver.name === host.driver.name).length === 1;
    const name = host.name ?? (isAlone ? host.driver.name : `${host.driver.name}-${index + 1}`);
    if (named.some((other) => other.driver === host.driver)) {
      throw new RangeError(`drivers[${index}] is a driver that is there before; expected a driver for each host`);
    }
    if (named.some((other) => other.name === name)) {
      throw new RangeError(`drivers[${index}].name is "${name}", as of one before; expected a name for each host`);
    }
    named.push({ ...host, name });
  }
  return named;
}
