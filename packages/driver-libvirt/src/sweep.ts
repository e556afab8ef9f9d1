import { type Clock, sleep } from '@warmvm/core/driver';
import { type LibvirtDriverOptions, parseOptions } from './options.ts';
import { Session } from './session.ts';
import { Workshop } from './workshop.ts';

/** Which host is swept: options of the driver whose things are removed. */
export type SweepOptions = Pick<LibvirtDriverOptions, 'uri' | 'dial' | 'storagePool' | 'storagePath' | 'clock'>;

/** Time between two attempts, and how many there are. */
const RETRY_DELAY_MS = 2_000;
const ATTEMPTS = 15;

/**
 * Removes from the host all that carries the mark of one of the instances, machines before the golden snapshots whose kernel they use.
 * Resolves with how many domains that were.
 */
export async function sweep(options: SweepOptions, instances: ReadonlySet<string>): Promise<number> {
  const parsed = parseOptions({ ...options, guardian: false });
  const session = new Session(parsed);
  try {
    const workshop = new Workshop(parsed, session);
    const ours = (await workshop.list(undefined)).filter(({ mark }) => instances.has(mark.owner.instance));
    const machines = ours.filter(({ mark }) => mark.kind === 'machine');
    const goldens = ours.filter(({ mark }) => mark.kind === 'golden');
    for (const domain of [...machines, ...goldens]) await workshop.demolish(domain);
    await workshop.storage.removeIfEmpty();
    return ours.length;
  } finally {
    await session.close();
  }
}

/**
 * Sweeps until a second look finds nothing that the first did not: a process that was killed may have had a call under way that still
 * made something. A host that does not answer is tried again for half a minute. Never rejects.
 */
export async function sweepThoroughly(
  options: SweepOptions & { readonly clock: Clock },
  instances: ReadonlySet<string>,
): Promise<void> {
  let swept = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const removed = await sweep(options, instances);
      if (swept && removed === 0) return;
      swept = true;
    } catch {
      // The host may be on its way down or up: try again.
    }
    await sleep(options.clock, RETRY_DELAY_MS);
  }
}
