import { type CallOptions, type Clock, isWarmvmError, sleep } from '@warmvm/core/driver';
import { type LibvirtDriverOptions, parseOptions } from './options.ts';
import { Session } from './session.ts';
import { Workshop } from './workshop.ts';

/** Which host is swept: options of the driver whose things are removed. */
export type SweepOptions = Pick<
  LibvirtDriverOptions,
  'uri' | 'dial' | 'storagePool' | 'storagePath' | 'connectTimeoutMs' | 'clock'
>;

/** Time before a second look, and before a host that did not answer is tried again, which grows. */
const PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Removes from the host all that carries the mark of one of the instances, machines before the golden snapshots whose kernel they use.
 * Resolves with how many domains that were.
 */
export async function sweep(
  { signal, ...options }: SweepOptions & CallOptions,
  instances: ReadonlySet<string>,
): Promise<number> {
  const limits = signal === undefined ? {} : { signal };
  const parsed = parseOptions({ ...options, guardian: false });
  const session = new Session(parsed);
  try {
    const workshop = new Workshop(parsed, session);
    const ours = (await workshop.list(undefined, limits)).filter(({ mark }) => instances.has(mark.owner.instance));
    const machines = ours.filter(({ mark }) => mark.kind === 'machine');
    const goldens = ours.filter(({ mark }) => mark.kind === 'golden');
    const failures: unknown[] = [];
    for (const domain of [...machines, ...goldens]) {
      // One that the host refuses to remove does not keep the others.
      await workshop.demolish(domain, limits).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    await workshop.storage.removeIfEmpty(limits);
    return ours.length;
  } finally {
    await session.close();
  }
}

/**
 * Sweeps until a second look finds nothing that the first did not: a process that was killed may have had a call under way that still
 * made something. A host that does not answer is tried again until `giveUpMs` have passed, one that does not let us in is not. Never
 * rejects; resolves with what it failed of, undefined when all is removed.
 */
export async function sweepThoroughly(
  { giveUpMs, ...options }: SweepOptions & { readonly clock: Clock; readonly giveUpMs: number },
  instances: ReadonlySet<string>,
): Promise<unknown> {
  const { clock } = options;
  const lastAt = clock.now() + giveUpMs;
  const limit = new AbortController();
  // A daemon that hangs answers no call, and would be waited for without end.
  const tooLate = new Error(`the host did not answer within ${giveUpMs} ms`);
  const timer = clock.setTimer(() => limit.abort(tooLate), giveUpMs);
  let failure: unknown;
  let swept = false;
  for (let pauseMs = PAUSE_MS; clock.now() < lastAt; ) {
    try {
      const removed = await sweep({ ...options, signal: limit.signal }, instances);
      if (swept && removed === 0) {
        timer.cancel();
        return undefined;
      }
      swept = true;
      failure = undefined;
    } catch (error) {
      // The host may be on its way down or up; a right that was taken does not come back by itself.
      failure = error;
      if (isWarmvmError(error, 'WARMVM_HOST_DENIED')) break;
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
    await sleep(clock, pauseMs);
  }
  timer.cancel();
  return failure;
}
