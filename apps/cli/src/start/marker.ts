import type { Guest } from '@warmvm/core';

/** Where a tenant leaves traces: a file in memory and one on the machine's disk. */
export const MARKER_PATHS = ['/run/tenant-marker', '/disk/tenant-marker'] as const;

/** Writes the markers. */
export async function writeMarkers(guest: Guest, text: string, signal: AbortSignal): Promise<void> {
  for (const path of MARKER_PATHS) await guest.writeFile(path, text, { signal });
}

/** The markers that are there. */
export async function findMarkers(guest: Guest, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of MARKER_PATHS) {
    const { exitCode } = await guest.exec(['cat', path], { signal });
    if (exitCode === 0) found.push(path);
  }
  return found;
}
