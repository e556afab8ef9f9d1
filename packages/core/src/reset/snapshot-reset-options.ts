import { type Clock, systemClock } from '../driver/clock.ts';
import type { Driver, PrepareProgress } from '../driver/driver.ts';
import type { GoldenImage } from '../driver/image.ts';
import type { OwnerTag } from '../driver/owner.ts';
import { checkDurationMs, checkFunction, checkMethods } from '../validation/check.ts';
import type { Probe } from './probe.ts';

/** How long each step may take. */
export interface ResetTimeouts {
  /** For making the golden snapshot: at least one whole boot. @default 600000 */
  readonly prepareTimeoutMs?: number;
  /** For one fork. @default 60000 */
  readonly forkTimeoutMs?: number;
  /** For one reset. @default 60000 */
  readonly resetTimeoutMs?: number;
  /** For one probe. @default 10000 */
  readonly probeTimeoutMs?: number;
  /** For one dispose. @default 30000 */
  readonly destroyTimeoutMs?: number;
}

/** Options of {@link SnapshotReset}. */
export interface SnapshotResetOptions extends ResetTimeouts {
  readonly driver: Driver;
  readonly image: GoldenImage;
  /** Mark on everything that is made. */
  readonly owner: OwnerTag;
  /** Proves a guest ready. @default the guest's ping, or the state where the driver has no guest agent */
  readonly probe?: Probe;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told what the making of the golden snapshot is at. @default none */
  readonly onProgress?: (progress: PrepareProgress) => void;
}

/** {@link ResetTimeouts} with every default filled in. */
export type CheckedTimeouts = Required<ResetTimeouts>;

const defaultTimeouts: CheckedTimeouts = {
  prepareTimeoutMs: 600_000,
  forkTimeoutMs: 60_000,
  resetTimeoutMs: 60_000,
  probeTimeoutMs: 10_000,
  destroyTimeoutMs: 30_000,
};

/** @throws TypeError, RangeError naming the timeout that is wrong */
export function checkTimeouts(timeouts: ResetTimeouts): CheckedTimeouts {
  const checked: Record<string, number> = {};
  for (const [name, defaultMs] of Object.entries(defaultTimeouts)) {
    const value = timeouts[name as keyof ResetTimeouts];
    checked[name] = checkDurationMs(name, value === undefined ? defaultMs : value, { minimum: 1 });
  }
  return checked as unknown as CheckedTimeouts;
}

const expectedDriver = 'a driver, such as one made by a @warmvm/driver-* package';

/** @param name of the option, for the error. @throws TypeError when it is not a driver of this contract's version */
export function checkDriver(driver: Driver, name = 'driver'): Driver {
  checkMethods(name, driver, ['prepare', 'fork', 'list', 'remove', 'adopt', 'ping'], expectedDriver);
  if (driver.specificationVersion !== 1) {
    throw new TypeError(
      `${name}.specificationVersion is ${String(driver.specificationVersion)}; expected 1: use a driver made for this version of @warmvm/core`,
    );
  }
  return driver;
}

/** @throws TypeError when it is not a golden image */
export function checkImage(image: GoldenImage): GoldenImage {
  checkMethods('image', image, [], 'a golden image, such as one made by @warmvm/guest-image');
  if (typeof image.digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(image.digest)) {
    throw new TypeError(`image.digest is ${String(image.digest)}; expected sha256: and 64 hexadecimal digits`);
  }
  return image;
}

/** @throws TypeError when it is not a clock */
export function checkClock(clock: Clock | undefined): Clock {
  return checkMethods('clock', clock ?? systemClock, ['now', 'wallTimeMs', 'setTimer'], 'a Clock');
}

/** @throws TypeError when it is neither absent nor a function */
export function checkProbe(probe: Probe | undefined): Probe | undefined {
  return probe === undefined
    ? undefined
    : checkFunction('probe', probe, 'a function of the guest that gives a promise');
}
