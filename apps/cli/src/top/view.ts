import type { PoolEvent } from '@warmvm/core';
import cliTruncate from 'cli-truncate';
import type { PoolStatus } from '../kept-pool/protocol/messages.ts';
import { headText, slotTable, timeTable } from '../pool/status-text.ts';
import { eventLines } from './event-text.ts';
import type { TopStyle } from './style.ts';

/** What is shown. */
export interface TopFacts {
  readonly status: PoolStatus;
  /** The last events, the latest last. */
  readonly events: readonly PoolEvent[];
}

/** The room that there is for it. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that each part needs to be of use: with its head, and the empty line before it. */
const LEAST_SLOT_LINES = 5;
const LEAST_EVENT_LINES = 4;

/** The lines of a screen: never more than its rows, and none wider than its columns. Where room is short, events go first, then times. */
export function topView(
  { status, events }: TopFacts,
  { columns, rows }: Room,
  style: TopStyle,
  foot: string,
): readonly string[] {
  const head = headText(status).split('\n');
  let left = rows - head.length - 1;
  const times = linesOf(timeTable(status, 'across'));
  const withTimes = times.length > 0 && left >= LEAST_SLOT_LINES + times.length + 1;
  if (withTimes) left -= times.length + 1;
  const told = eventLines(events);
  const eventRoom =
    left >= LEAST_SLOT_LINES + LEAST_EVENT_LINES ? Math.max(LEAST_EVENT_LINES, left - wantedFor(status)) : 0;
  const slots = slotLines(status, left - eventRoom - 1, style);
  const lines = [
    ...head.map((line, at) => (at === 0 ? style.strong(line) : line)),
    ...below(slots),
    ...below(withTimes ? times : []),
    ...below(eventRoom === 0 ? [] : ['  events', ...lastOf(told, eventRoom - 2)]),
  ].slice(0, Math.max(0, rows - 1));
  const filled = [...lines, ...Array.from({ length: rows - 1 - lines.length }, () => ''), style.faint(foot)];
  return filled.slice(-rows).map((line) => cliTruncate(line, columns));
}

/** Lines that all slots take, with their head and the empty line before it. */
function wantedFor({ slots }: PoolStatus): number {
  return slots.length === 0 ? 0 : slots.length + 2;
}

function slotLines(status: PoolStatus, room: number, style: TopStyle): readonly string[] {
  const all = status.slots.length;
  if (room < 2) return [];
  // The line that says how many are left out takes the place of one.
  return linesOf(slotTable(status, all <= room - 1 ? all : room - 2, style.state));
}

function below(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split('\n').map((line) => line.trimEnd());
}

function lastOf(lines: readonly string[], count: number): readonly string[] {
  return lines.length === 0 ? ['  none since this began'] : lines.slice(-count);
}
