import { percentile } from '../statistics/percentile.ts';

/** One contender's CPU time for each cycle, by round. */
export interface Entrant {
  readonly name: string;
  readonly cpuMs: readonly number[];
}

/** Who was fastest among several, and how much faster than that the one in question is. */
export interface Standing {
  /** The peer with the least median CPU time. */
  readonly fastestPeer: string;
  /** Its CPU time to ours, round by round: above 1 we are faster. */
  readonly ratios: readonly number[];
}

/** @throws RangeError when ours is not among them, there is no peer, or they ran different numbers of rounds */
export function standingOf(ours: string, entrants: readonly Entrant[]): Standing {
  const own = entrants.find(({ name }) => name === ours);
  const peers = entrants.filter(({ name }) => name !== ours);
  if (own === undefined || peers.length === 0) {
    throw new RangeError(`got ${entrants.map(({ name }) => name).join(', ')}; expected ${ours} and a peer`);
  }
  if (peers.some(({ cpuMs }) => cpuMs.length !== own.cpuMs.length)) {
    throw new RangeError(`rounds differ from the ${own.cpuMs.length} of ${ours}`);
  }
  const fastest = peers.reduce((best, peer) => (median(peer) < median(best) ? peer : best));
  return {
    fastestPeer: fastest.name,
    ratios: fastest.cpuMs.map((cpuMs, round) => cpuMs / own.cpuMs[round]!),
  };
}

/** Median, and between which the middle nine tenths of the rounds lie, for people. */
export function spreadText(ratios: readonly number[]): string {
  const at = (share: number): string => percentile(ratios, share).toFixed(2);
  return `median ${at(0.5)}, ${at(0.05)} to ${at(0.95)} in nine of ten rounds`;
}

function median({ cpuMs }: Entrant): number {
  return percentile(cpuMs, 0.5);
}
