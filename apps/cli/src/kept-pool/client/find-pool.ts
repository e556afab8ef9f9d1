import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { sleep, systemClock } from '@warmvm/core/driver';
import type { DriverChoice, ImageChoice } from '../../config/config.ts';
import { BUILT_IN_DRIVERS } from '../../drivers/driver-table.ts';
import type { ConfigStamp, Welcome } from '../protocol/messages.ts';
import { ownPlace, type RuntimePlace, requirePrivate, runtimeFolder, socketPathOf } from '../runtime-folder.ts';
import { ControlConnection } from './control-connection.ts';

/** Time in which a pool must answer: one that does not is stopped, or in deep trouble. */
const ANSWER_WITHIN_MS = 3_000;

/** What a command asks for, as far as it says. */
export interface WantedPool {
  readonly drivers: readonly DriverChoice[] | undefined;
  readonly image: ImageChoice | undefined;
  /** Where relative paths start from. */
  readonly folder: string;
  /** Whether machines that are not real will do, though nobody named their driver. */
  readonly acceptsFake: boolean;
}

/**
 * Connects to the pool of that name; undefined where none is kept.
 * @throws ConfigError when its folder is not this user's alone; what the pool says; the signal's reason
 */
export async function connectPool(
  name: string,
  signal?: AbortSignal,
  place: RuntimePlace = ownPlace(),
): Promise<ControlConnection | undefined> {
  const path = socketPathOf(name, place);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  requirePrivate(runtimeFolder(place), place);
  const patience = new AbortController();
  const either = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]);
  const enough = new AbortController();
  sleep(systemClock, ANSWER_WITHIN_MS, enough.signal).then(
    () => patience.abort(new Error(`pool ${name} does not answer; the process that keeps it may be stopped (${path})`)),
    () => {},
  );
  try {
    return await ControlConnection.open(path, either);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Its process is dead, or gives the name up just now.
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
    throw error;
  } finally {
    enough.abort();
  }
}

/** Why a pool is not what was asked for, in words for people; undefined when it is. */
export function mismatchOf({ drivers, image, folder, acceptsFake }: WantedPool, welcome: Welcome): string | undefined {
  const { pool } = welcome;
  if (drivers === undefined && !acceptsFake && welcome.drivers.every((name) => name === 'fake')) {
    // Whoever runs something means a real machine.
    return `pool ${pool} has no real machines; ask for them with --driver fake`;
  }
  if (drivers !== undefined && digestOfDrivers(drivers, folder) !== welcome.driversDigest) {
    return `pool ${pool} was started with other drivers (${welcome.drivers.join(', ')})`;
  }
  if (image !== undefined && digestOfImage(image, folder) !== welcome.imageDigest) {
    return `pool ${pool} was started with another image (${welcome.image})`;
  }
  return undefined;
}

/** The same for the same drivers with the same options, and for nothing else. */
export function digestOfDrivers(drivers: readonly DriverChoice[], folder: string): string {
  // Paths and packages are looked for from the folder.
  return digest([drivers, drivers.every(({ use }) => Object.hasOwn(BUILT_IN_DRIVERS, use)) ? null : folder]);
}

/** The same for the same image, and for nothing else. */
export function digestOfImage(image: ImageChoice, folder: string): string {
  const isPath = typeof image === 'string' ? image.includes('/') : !('tiny' in image);
  return digest([image, isPath ? folder : null]);
}

/** The file as it is now; undefined where there is none. */
export function stampOf(path: string): ConfigStamp | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : { path, modifiedAtMs: stat.mtimeMs, sizeBytes: stat.size };
}

/** Whether a pool was configured by this very file. */
export function isSameStamp(left: ConfigStamp | undefined, right: ConfigStamp | null): boolean {
  return (
    left !== undefined &&
    right !== null &&
    left.path === right.path &&
    left.modifiedAtMs === right.modifiedAtMs &&
    left.sizeBytes === right.sizeBytes
  );
}

function digest(value: unknown): string {
  const inOrder = (_key: string, part: unknown): unknown =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part;
  return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex');
}
