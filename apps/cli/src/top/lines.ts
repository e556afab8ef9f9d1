import type { PoolEnd, PoolUpdate } from './follow-pool.ts';

/** Updates as lines of JSON. */
export class UpdateLines {
  #last: string | undefined;

  /** The line of an update; undefined when only time has passed since the last. */
  next({ status, events }: PoolUpdate): string | undefined {
    const facts = JSON.stringify(status, (name, value: unknown) =>
      name === 'uptimeMs' || name === 'sinceMs' ? undefined : value,
    );
    if (facts === this.#last && events.length === 0) return undefined;
    this.#last = facts;
    return `${JSON.stringify({ type: 'update', ...status, events })}\n`;
  }
}

/** The last line: how the pool ended. */
export function endLine(pool: string, { facts, events }: PoolEnd): string {
  return `${JSON.stringify({ type: 'ended', schema: 1, pool, ...facts, events })}\n`;
}
