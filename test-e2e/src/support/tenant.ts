import { randomUUID } from 'node:crypto';
import { currentOwnerProcess, type Guest, type OwnerTag } from '@warmvm/core';

/** Runs a line of shell in the guest. @throws Error when it fails */
export async function shell(guest: Guest, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(['/bin/sh', '-c', script]);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
  if (exitCode !== 0) throw new Error(`'${script}' ended with ${exitCode}: ${text(stderr)}`);
  return text(stdout);
}

/** Everything a tenant can do to be remembered: files in memory and on disk, a process, another host name, a wrong clock. */
export async function leaveTraces(guest: Guest): Promise<void> {
  await shell(
    guest,
    [
      'echo tenant > /run/tenant; echo tenant > /tmp/tenant; echo tenant > /disk/tenant; mkdir /disk/kept; sync',
      'setsid sleep 86399 </dev/null >/dev/null 2>&1 &',
      'hostname tenant-was-here; date -s @946684800 >/dev/null',
    ].join('\n'),
  );
}

/** The traces that are there. */
export async function tracesIn(guest: Guest): Promise<readonly string[]> {
  const found = await shell(
    guest,
    [
      'for path in /run/tenant /tmp/tenant /disk/tenant /disk/kept; do [ -e $path ] && echo $path; done',
      'pidof sleep >/dev/null && echo process',
      '[ "$(hostname)" = tenant-was-here ] && echo hostname',
      '[ "$(date +%s)" -lt 1000000000 ] && echo clock',
      'true',
    ].join('\n'),
  );
  return found.split('\n').filter((line) => line !== '');
}

/** What {@link leaveTraces} leaves. */
export const ALL_TRACES: readonly string[] = [
  '/run/tenant',
  '/tmp/tenant',
  '/disk/tenant',
  '/disk/kept',
  'process',
  'hostname',
  'clock',
];

/** Everything that no two generations of any machine may share. */
export async function identityOf(guest: Guest): Promise<readonly string[]> {
  const { stdout } = await guest.exec(['head', '-c', '32', '/dev/urandom']);
  const names = await shell(guest, 'cat /etc/machine-id /proc/sys/kernel/random/boot_id');
  return [Buffer.from(stdout).toString('hex'), ...names.split('\n')];
}

/** An owner in this process. */
export function ownerOf(pool: string): OwnerTag {
  return { pool, instance: randomUUID(), process: currentOwnerProcess() };
}
