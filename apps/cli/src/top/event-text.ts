import type { PoolEvent } from '@warmvm/core';
import { shownText } from '@warmvm/core/driver';

/** What a line of a wide terminal can show. */
const MAX_CHARACTERS = 400;

/** Events for people, a line each, with the time of day; without those that the slots show anyway. */
export function eventLines(events: readonly PoolEvent[]): readonly string[] {
  return events.flatMap((event) => {
    const text = eventText(event);
    return text === undefined ? [] : [`  ${timeOfDay(event.atMs)}  ${text}`];
  });
}

/** What an operator asks about afterwards, for a log; undefined for what is part of each lease. */
export function operatorText(event: PoolEvent): string | undefined {
  switch (event.type) {
    case 'slot-changed':
    case 'phase-ended':
      return undefined;
    case 'acquire-settled':
      return event.slot === undefined && event.outcome !== 'aborted' ? eventText(event) : undefined;
    case 'lease-ended':
      return event.status === 'released' ? undefined : eventText(event);
    case 'swept':
      return event.removed.length + event.adopted.length + event.failed.length === 0 ? undefined : eventText(event);
    case 'machine-lost':
      return `${eventText(event)}; another takes its place`;
    default:
      return eventText(event);
  }
}

function eventText(event: PoolEvent): string | undefined {
  const words = wordsOf(event);
  // What a host or guest said goes to a terminal: it moves no cursor and begins no line.
  return words === undefined ? undefined : shownText(words, { mostChars: MAX_CHARACTERS });
}

function wordsOf(event: PoolEvent): string | undefined {
  switch (event.type) {
    case 'slot-changed':
      return undefined;
    case 'acquire-settled':
      return event.slot === undefined
        ? `no lease: ${event.outcome} after ${milliseconds(event.waitedMs)}`
        : `slot ${event.slot} lent, ${event.outcome === 'warm' ? 'at once' : `after ${milliseconds(event.waitedMs)}`}`;
    case 'lease-ended':
      return `slot ${event.slot} ${event.status} after ${milliseconds(event.heldMs)}`;
    case 'lease-abandoned':
      return `slot ${event.slot}: nobody can give its lease back any more; it ends when it expires`;
    case 'phase-ended':
      if (event.phase === 'detect' && event.error === undefined) return undefined;
      return `${event.slot === null ? event.host : `slot ${event.slot}`}: ${event.phase} took ${milliseconds(event.durationMs)}${failure(event.error)}`;
    case 'creation-failed':
      return `${event.host}: no machine could be made, next try in ${milliseconds(event.retryInMs)}${failure(event.error)}`;
    case 'breaker-changed':
      return `${event.host}: breaker ${event.from} to ${event.to}`;
    case 'machine-lost':
      return `slot ${event.slot}: its machine is lost${failure(event.error)}`;
    case 'host-down':
      return `${event.host} is down${failure(event.error)}`;
    case 'host-up':
      return `${event.host} answers again after ${milliseconds(event.downMs)}`;
    case 'quarantined':
      return `slot ${event.slot} is quarantined${failure(event.error)}`;
    case 'swept':
      return `${event.host} swept: ${event.removed?.length} removed, ${event.adopted?.length} taken over, ${event.failed?.length} failed`;
    case 'sweep-failed':
      return `${event.host} could not be swept${failure(event.error)}`;
    case 'resized':
      return `resized: ${event.minReady} ready, ${event.max} at most`;
    case 'events-dropped':
      return `${event.count} events were not shown`;
    case 'host-draining':
    case 'host-drained':
    case 'host-undrained':
      return `${event.host}: ${event.type.slice('host-'.length)}`;
    default:
      // Also what a later version may tell.
      return event.type;
  }
}

function timeOfDay(atMs: number): string {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function failure(error: unknown): string {
  if (error === undefined || error === null) return '';
  const { message } = error as { message?: unknown };
  return `: ${typeof message === 'string' ? message : String(error)}`;
}

function milliseconds(durationMs: number): string {
  return durationMs < 10 ? `${durationMs.toFixed(1)} ms` : `${durationMs.toFixed(0)} ms`;
}
