import { shownText } from '@warmvm/core/driver';
import Table from 'cli-table3';
import type { Latency, PoolStatus } from '../kept-pool/protocol/messages.ts';

const SIDES = ['top', 'bottom', 'mid', 'left', 'right'].flatMap((side) =>
  ['', '-mid', '-left', '-right'].map((part) => `${side}${part}`),
);
/** Room between columns instead of lines. */
const CHARACTERS = { ...Object.fromEntries(SIDES.map((side) => [side, ''])), left: '  ', middle: '  ' };

/** Order in which times are told; whatever else there is comes after. */
const ORDER = ['acquire', 'probe', 'reset', 'fork', 'destroy', 'prepare', 'detect'];

/** A kept pool at one moment, for people: what it is, its numbers, its slots, and how long things take. */
export function statusText(status: PoolStatus): string {
  const slots = slotTable(status);
  const times = timeTable(status);
  return [headText(status), ...(slots === '' ? [] : [slots]), ...(times === '' ? [] : [times])]
    .join('\n\n')
    .concat('\n');
}

/** What the pool is, and its numbers: three lines. */
export function headText({ pool, drivers, image, pid, uptimeMs, connections, stats }: PoolStatus): string {
  const what = `pool ${cell(pool)} on ${cell(drivers.join(', '))}, image ${cell(image)}; process ${pid}, up ${age(uptimeMs)}`;
  if (stats === null) return `${what}\nbeing opened: there is no machine yet`;
  const { slots, waiting, minReady, max, total, counters, state, breaker } = stats;
  const trouble = breaker === 'closed' ? '' : `; making machines fails (breaker ${breaker})`;
  return [
    `${what}${state === 'open' ? '' : ` (${state})`}${trouble}`,
    `${slots.ready} ready of ${minReady} wanted, ${slots.leased} lent, ${waiting} waiting, ` +
      `${total} of ${max} machines; ${connections} connections`,
    `${counters.acquired} leases (${counters.warm} at once), ${counters.resets} resets, ${counters.created} made, ` +
      `${counters.destroyed} destroyed, ${counters.creationsFailed + counters.resetsFailed} failures`,
  ].join('\n');
}

/** A line for each slot, the first `most` of them. */
export function slotTable(
  { slots }: PoolStatus,
  most: number = Number.POSITIVE_INFINITY,
  dress: (state: string) => string = String,
): string {
  if (slots.length === 0) return '';
  const rows = slots
    .slice(0, most)
    .map(({ slot, host, state, machineId, generation, turn, clientPid, sinceMs }) => [
      String(slot),
      dress(cell(state)),
      age(sinceMs),
      clientPid === null ? '' : `process ${clientPid}`,
      generation === null ? '' : String(generation),
      String(turn),
      cell(host),
      cell(machineId ?? ''),
    ]);
  const left = slots.length - rows.length;
  return `${table(['slot', 'state', 'for', 'held by', 'generation', 'leases', 'host', 'machine'], rows)}${left > 0 ? `\n  and ${left} more` : ''}`;
}

/** How long things take: a line for each thing, or a column. */
export function timeTable({ latencies }: PoolStatus, way: 'down' | 'across' = 'down'): string {
  const names = Object.keys(latencies).toSorted((left, right) => rank(left) - rank(right));
  if (names.length === 0) return '';
  const rows = names.map((name) => {
    const { count, p50Ms, p99Ms, maxMs } = latencies[name] as Latency;
    return [cell(name), String(count), milliseconds(p50Ms), milliseconds(p99Ms), milliseconds(maxMs)];
  });
  const head = ['took', 'times', 'p50 ms', 'p99 ms', 'max ms'];
  if (way === 'down') return table(head, rows);
  const [first = '', ...others] = head;
  return table(
    [first, ...names],
    others.map((word, at) => [word, ...rows.map((row) => row[at + 1] ?? '')]),
  );
}

/** A name that hosts or another process gave, on one line of a table. */
function cell(text: string): string {
  return shownText(text, { mostChars: 120 });
}

function rank(name: string): number {
  const at = ORDER.indexOf(name);
  return at === -1 ? ORDER.length : at;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    chars: CHARACTERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}

function milliseconds(durationMs: number): string {
  return durationMs < 10 ? durationMs.toFixed(2) : durationMs.toFixed(0);
}

/** A duration in two units at most. */
export function age(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
