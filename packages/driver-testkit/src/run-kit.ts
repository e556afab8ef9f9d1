import type { CallOptions, Clock, DriverCapabilities, HostReport } from '@warmvm/core/driver';
import { systemClock } from '@warmvm/core/driver';
import { kitCases } from './cases/index.ts';
import type { KitCase } from './kit-case.ts';
import { type KitReport, type KitResult, kitVersion } from './report.ts';
import { KitSession } from './session.ts';
import { type KitSubject, type ParsedSubject, parseSubject } from './subject.ts';
import { settledWithin } from './time-bound.ts';

/** Options of {@link runKit}. */
export interface RunKitOptions extends CallOptions {
  /** Ids of cases, clauses or groups (`RESET`); nothing else is run. @default all */
  readonly only?: readonly string[];
  /** Told of each case when it has ended. */
  readonly onResult?: (result: KitResult) => void;
  /** Stretches every time of the kit, over each subject's own `timeScale`: for a host that is slower than its subject expects. Above 0. @default 1 */
  readonly timeFactor?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Longest that a host may take to report itself, before scaling. */
const PING_MS = 10_000;

/**
 * Runs the kit without a test runner. A driver that breaks clauses is no error: see the report. Several subjects of one driver share
 * the cases among them and run side by side; each must be blind to the others in `hostObjects`, and `loseHost` must spare them.
 * @throws TypeError or RangeError when the subject is none or `only` names what there is not
 * @throws the signal's reason when that is aborted
 */
export async function runKit(
  subject: KitSubject | readonly KitSubject[],
  { only, signal, onResult, timeFactor = 1, clock = systemClock }: RunKitOptions = {},
): Promise<KitReport> {
  if (!(timeFactor > 0 && timeFactor < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`timeFactor must be a finite number above 0, got ${timeFactor}`);
  }
  const lanes = [subject].flat().map((each) => {
    const parsed = parseSubject(each as KitSubject);
    return { ...parsed, timeScale: parsed.timeScale * timeFactor };
  });
  const [first] = lanes;
  if (first === undefined) throw new TypeError('subject must be one subject or several, got an empty list');
  const wanted = new Set(only === undefined ? kitCases : only.flatMap((name) => casesNamed(name)));
  const startedAt = new Date(clock.wallTimeMs()).toISOString();
  const startedMs = clock.now();
  const { capabilities, host } = await introduction(first, clock);
  const before = await objectsOf(lanes);
  const results = await runCases(
    kitCases.filter((candidate) => wanted.has(candidate)),
    lanes.map((lane) => new KitSession(lane, clock)),
    onResult,
    signal,
  );
  const after = await objectsOf(lanes);
  return {
    schema: 1,
    kitVersion: kitVersion(),
    driver: first.name,
    ...(first.version === undefined ? {} : { driverVersion: first.version }),
    capabilities,
    ...(host === undefined ? {} : { host }),
    node: process.version,
    startedAt,
    durationMs: Math.round(clock.now() - startedMs),
    results,
    leftBehind: after.filter((name) => !before.includes(name)),
  };
}

/** What a driver says before anything is tried. What keeps it from telling of its host, cases tell. */
async function introduction(
  subject: ParsedSubject,
  clock: Clock,
): Promise<{ readonly capabilities: DriverCapabilities; readonly host: HostReport | undefined }> {
  const driver = await subject.create();
  try {
    const capabilities = structuredClone(driver.capabilities);
    const ping = settledWithin(clock, PING_MS * subject.timeScale, 'ping', driver.ping());
    return { capabilities, host: await ping.catch(() => undefined) };
  } finally {
    await driver[Symbol.asyncDispose]();
  }
}

/** Each session takes the next case as soon as it is done with its last. */
async function runCases(
  cases: readonly KitCase[],
  sessions: readonly KitSession[],
  onResult: RunKitOptions['onResult'],
  signal: AbortSignal | undefined,
): Promise<readonly KitResult[]> {
  const waiting = [...cases];
  const results = new Map<KitCase, KitResult>();
  const work = async (session: KitSession): Promise<void> => {
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { result } = await session.run(next, signal);
        results.set(next, result);
        onResult?.(result);
      }
    } finally {
      await session.closeShared();
    }
  };
  const ends = await Promise.allSettled(sessions.map(work));
  const failure = ends.find(({ status }) => status === 'rejected');
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
  return cases.map((kitCase) => results.get(kitCase) as KitResult);
}

async function objectsOf(lanes: readonly ParsedSubject[]): Promise<readonly string[]> {
  return (await Promise.all(lanes.map(async (lane) => (await lane.hostObjects?.()) ?? []))).flat();
}

function casesNamed(name: string): readonly KitCase[] {
  const found = kitCases.filter(({ id, clause }) => [id, clause, clause.split('-')[0]].includes(name));
  if (found.length > 0) return found;
  throw new RangeError(
    `only must name cases, clauses or groups of the kit, such as RESET or RESET-1, got ${JSON.stringify(name)}`,
  );
}
