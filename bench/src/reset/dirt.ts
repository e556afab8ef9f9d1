import { type Guest, WarmvmError } from '@warmvm/core';

/** What a tenant leaves: 8 MiB of noise in memory and the same on the disk. */
const FILES = ['/run/dirt', '/disk/dirt'] as const;
const WRITE = `dd if=/dev/urandom of=${FILES[0]} bs=1M count=8 2>/dev/null && cp ${FILES[0]} ${FILES[1]} && sync`;
const ABSENT = FILES.map((file) => `test ! -e ${file}`).join(' && ');

/** Writes to memory and disk. @throws WARMVM_GUEST_EXEC_FAILED */
export async function dirty(guest: Guest, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await guest.exec(['sh', '-c', WRITE], { signal });
  if (exitCode === 0) return;
  const said = new TextDecoder().decode(stderr).slice(-200);
  throw new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `the guest could not be dirtied: exit code ${exitCode}, ${said}`);
}

/** @throws WARMVM_RESET_FAILED when anything of it is still there */
export async function requireClean(guest: Guest, signal: AbortSignal): Promise<void> {
  const { exitCode } = await guest.exec(['sh', '-c', ABSENT], { signal });
  if (exitCode !== 0) throw new WarmvmError('WARMVM_RESET_FAILED', `${FILES.join(' or ')} is there after a reset`);
}
