import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { currentOwnerProcess, judgeOwner, type OwnerProcess, pathDistrust } from '@warmvm/core/driver';
import { ownPlace, type RuntimePlace } from './runtime-folder.ts';

/** A pool that a living process keeps, as that process wrote it down. */
export interface PoolRecord {
  readonly pool: string;
  /** Path of its socket. Something may have removed it, or this process may see another folder of that name. */
  readonly socket: string;
  readonly owner: OwnerProcess;
}

/** More files than this are not ours. */
const MAX_RECORDS = 1_000;
const MAX_RECORD_BYTES = 4_096;

/**
 * Writes down that this process keeps a pool, in a folder that outlives sockets: folders for temporary files are cleaned, and may differ between processes.
 * Undefined where this user has no home, or it cannot be written.
 */
export function writePoolRecord(
  pool: string,
  socket: string,
  place: RuntimePlace = ownPlace(),
): Disposable | undefined {
  const folder = recordFolder(place);
  if (folder === undefined) return undefined;
  const record: PoolRecord = { pool, socket, owner: currentOwnerProcess() };
  const path = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (pathDistrust(folder) !== undefined) return undefined;
    writeFileSync(path, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  } catch {
    // The socket still says who keeps the pool.
    return undefined;
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Pools of this user that other living processes keep; what dead processes left is removed. */
export function otherPools(place: RuntimePlace = ownPlace()): readonly PoolRecord[] {
  const folder = recordFolder(place);
  if (folder === undefined || pathDistrust(folder) !== undefined) return [];
  const self = currentOwnerProcess();
  return filesOf(folder).flatMap((file) => {
    const path = join(folder, file);
    const record = readRecord(path);
    if (record === undefined) return [];
    const fate = judgeOwner(record.owner);
    if (fate === 'dead') rmSync(path, { force: true });
    const isOwn = record.owner.pid === self.pid && record.owner.bootId === self.bootId;
    return fate === 'alive' && !isOwn ? [record] : [];
  });
}

function recordFolder({ environment }: RuntimePlace): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home } = environment;
  if (state && isAbsolute(state)) return join(state, 'warmvm', 'pools');
  return home && isAbsolute(home) ? join(home, '.local', 'state', 'warmvm', 'pools') : undefined;
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .slice(0, MAX_RECORDS);
  } catch {
    return [];
  }
}

function readRecord(path: string): PoolRecord | undefined {
  try {
    const { pool, socket, owner } = JSON.parse(readFileSync(path, 'utf8').slice(0, MAX_RECORD_BYTES)) as PoolRecord;
    const isOwner = typeof owner?.bootId === 'string' && typeof owner.startTime === 'string';
    const isWhole = typeof pool === 'string' && typeof socket === 'string' && isOwner && Number.isInteger(owner.pid);
    return isWhole ? { pool, socket, owner } : undefined;
  } catch {
    return undefined;
  }
}
