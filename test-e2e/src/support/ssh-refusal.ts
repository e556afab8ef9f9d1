import { systemClock } from '@warmvm/core';
import { createSshDialer, type SshOptions, type SshProblem } from '@warmvm/driver-libvirt-ssh';
import { openClient } from '@warmvm/libvirt';
import { expect } from 'vitest';
import { processes } from './libvirt-host.ts';
import type { SshHost } from './ssh-host.ts';

/** No error may take longer to be told, however busy this computer is. */
const DEADLINE_MS = 10_000;

/** Sockets of this process that are open. */
const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

/** What serves a connection on the far host, and must not outlive it. */
export async function farPrograms(): Promise<readonly string[]> {
  const names = (await processes()).map(({ words }) => words[0] ?? '');
  return names.filter((name) => /(^|\/)(virt-ssh-helper|nc(\.openbsd)?|socat|ncat)$/.test(name));
}

/** Dials, and expects this error in time and nothing left behind. */
export async function refused(
  far: SshHost,
  options: Partial<SshOptions>,
  problem: SshProblem,
  code: string,
): Promise<Error> {
  await expect.poll(openSockets, { timeout: 10_000 }).toBe(0);
  const dialer = createSshDialer({ ...far.options, ...options });
  const startedAt = systemClock.now();
  const error = await dialer.dial().then(
    () => new Error('it was reached'),
    (thrown: unknown) => thrown as Error,
  );
  const tookMs = systemClock.now() - startedAt;
  expect(error).toMatchObject({ code, details: { problem } });
  expect((error as unknown as { details: object }).details).toHaveProperty('remedy');
  expect(tookMs).toBeLessThan(DEADLINE_MS);
  await dialer[Symbol.asyncDispose]();
  await expect.poll(() => far.sessionPids(), { timeout: 10_000 }).toEqual([]);
  await expect.poll(openSockets, { timeout: 10_000 }).toBe(0);
  expect(await farPrograms()).toEqual([]);
  return error;
}

/** Asks the daemon for its name. Resolves with the way that was taken. */
export async function reaches(options: SshOptions): Promise<string | undefined> {
  const dialer = createSshDialer(options);
  try {
    const client = await openClient({ uri: dialer.uri, dial: dialer.dial });
    await client.call('connectGetHostname', {});
    await client.close();
    return dialer.way;
  } finally {
    await dialer[Symbol.asyncDispose]();
  }
}
