import { type Guest, isWarmvmError, WarmvmError } from '@warmvm/core';
import { type BenchHost, isSimulated } from './host/bench-host.ts';

/** What a tenant leaves: noise in memory and the same on the disk. */
const FILES = ['/run/dirt', '/disk/dirt'] as const;
const WRITE = `dd if=/dev/urandom of=${FILES[0]} bs=1M count=8 2>/dev/null && cp ${FILES[0]} ${FILES[1]} && sync`;
const ABSENT = FILES.map((file) => `test ! -e ${file}`).join(' && ');

/** Dirties guests, and tells whether they are clean. */
export interface Dirt {
  /** In words, for the facts of a suite. */
  readonly what: string;
  /** Writes to memory and disk. @throws WARMVM_GUEST_EXEC_FAILED */
  write(guest: Guest, signal: AbortSignal): Promise<void>;
  /** @throws WARMVM_RESET_FAILED when anything of it is still there */
  requireClean(guest: Guest, signal: AbortSignal): Promise<void>;
}

/** 8 MiB each, made in the guest. */
const realDirt: Dirt = {
  what: '8 MiB in memory, 8 MiB on disk; absent after every reset',
  async write(guest, signal) {
    const { exitCode, stderr } = await guest.exec(['sh', '-c', WRITE], { signal });
    if (exitCode === 0) return;
    const said = new TextDecoder().decode(stderr).slice(-200);
    throw new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `the guest could not be dirtied: exit code ${exitCode}, ${said}`);
  },
  async requireClean(guest, signal) {
    const { exitCode } = await guest.exec(['sh', '-c', ABSENT], { signal });
    if (exitCode !== 0) throw new WarmvmError('WARMVM_RESET_FAILED', `${FILES.join(' or ')} is there after a reset`);
  },
};

/** Simulated guests have files and no shell. */
const simulatedDirt: Dirt = {
  what: 'a file in memory and one on disk; absent after every reset',
  async write(guest, signal) {
    for (const file of FILES) await guest.writeFile(file, 'dirt', { signal });
  },
  async requireClean(guest, signal) {
    for (const file of FILES) {
      const isThere = await guest.readFile(file, { signal }).then(
        () => true,
        (error: unknown) => {
          if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) return false;
          throw error;
        },
      );
      if (isThere) throw new WarmvmError('WARMVM_RESET_FAILED', `${file} is there after a reset`);
    }
  },
};

/** The dirt for guests of a host. */
export function dirtFor(host: Pick<BenchHost, 'acceleration'>): Dirt {
  return isSimulated(host) ? simulatedDirt : realDirt;
}
