import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { currentOwnerProcess, judgeOwner, type OwnerFate, type OwnerProcess } from '@warmvm/core/driver';

/** A process that holds something in the state folder, and the computer that it runs on. */
export interface Holder {
  readonly process: OwnerProcess;
  /** Tells computers apart that share a home directory: a digest of the machine id. */
  readonly host: string;
}

/** This process, as a holder. */
export function currentHolder(): Holder {
  return { process: currentOwnerProcess(), host: currentHost() };
}

/**
 * Whether a holder still lives. More is known here than of an owner on a far host: what an earlier boot of this very computer held,
 * nobody holds any more.
 */
export function fateOf(holder: Holder, self: Holder = currentHolder()): OwnerFate {
  const fate = judgeOwner(holder.process);
  if (fate !== 'unknown' || holder.host !== self.host) return fate;
  return bootOf(holder) === bootOf(self) ? fate : 'dead';
}

/** The kernel's boot id without the name space: containers of one computer share it. */
function bootOf({ process: { bootId } }: Holder): string {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(bootId)?.[0] ?? bootId;
}

function currentHost(): string {
  let id = hostname();
  try {
    id = readFileSync('/etc/machine-id', 'utf8').trim() || id;
  } catch {
    // macOS and some containers have none: the name has to do.
  }
  return createHash('sha256').update(`warmvm ${id}`).digest('hex').slice(0, 16);
}
