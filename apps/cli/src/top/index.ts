import { type PoolEvent, systemClock } from '@warmvm/core';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { ControlConnection } from '../kept-pool/client/control-connection.ts';
import { asStatus } from '../kept-pool/protocol/reply-check.ts';
import type { Output } from '../output.ts';
import { drainText } from '../pool/drain-text.ts';
import { talkToPool } from '../pool/pool-talk.ts';
import { statusText } from '../pool/status-text.ts';
import { isBrokenPipe, StandardOutput } from '../run/standard-output.ts';
import type { TopOptions } from './command.ts';
import { eventLines } from './event-text.ts';
import { followPool, type PoolEnd } from './follow-pool.ts';
import { endLine, UpdateLines } from './lines.ts';
import { Screen } from './screen.ts';
import { topStyle } from './style.ts';
import { type TopFacts, topView } from './view.ts';

/** Events that are kept for the screen. */
const SHOWN_EVENTS = 200;

/** Runs `warmvm top`. Resolves with the exit code: 0 when the pool has ended, or the person at the terminal wants no more. */
export function runTop({ pool, json, once }: TopOptions, output: Output): Promise<number> {
  const { stdout } = process;
  const asLines = json === true || stdout.isTTY !== true;
  return runInterruptibly(
    output,
    (signal) =>
      talkToPool(pool, signal, async (connection) => {
        if (once === true && !asLines) {
          output.write(statusText(asStatus(await connection.call({ type: 'status' }, { signal }))));
          return EXIT.ok;
        }
        if (asLines) return writeLines(connection, once === true, signal);
        return process.env.TERM === 'dumb' ? tell(connection, output, signal) : show(connection, output, signal);
      }),
    { words: 'interrupted' },
  );
}

/** For programs: a line for every change. */
async function writeLines(connection: ControlConnection, once: boolean, interruption: AbortSignal): Promise<number> {
  const { stdout } = process;
  const standard = new StandardOutput(stdout);
  const enough = new AbortController();
  const signal = AbortSignal.any([interruption, standard.gone, enough.signal]);
  const lines = new UpdateLines();
  const write = async (line: string | undefined): Promise<void> => {
    if (line !== undefined) await standard.write(stdout, Buffer.from(line));
  };
  try {
    const end = await followPool(connection, {
      signal,
      clock: systemClock,
      onUpdate: async (update) => {
        await write(lines.next(update));
        if (once) enough.abort();
      },
    });
    await write(endLine(connection.welcome.pool, end));
    return EXIT.ok;
  } catch (error) {
    if (enough.signal.aborted && !interruption.aborted) return EXIT.ok;
    if (standard.gone.aborted && !interruption.aborted && isBrokenPipe(standard.gone.reason)) return EXIT.brokenPipe;
    throw error;
  } finally {
    standard.release();
  }
}

/** For people at a terminal that only goes on: the pool, and then its events. */
async function tell(connection: ControlConnection, output: Output, signal: AbortSignal): Promise<number> {
  let isFirst = true;
  const tellEvents = (events: readonly PoolEvent[]): void => {
    for (const line of eventLines(events)) output.write(`${line}\n`);
  };
  const { facts, events } = await followPool(connection, {
    signal,
    clock: systemClock,
    onUpdate: (update) => {
      if (isFirst) output.write(`${statusText(update.status)}\n`);
      isFirst = false;
      tellEvents(update.events);
    },
  });
  tellEvents(events);
  output.write(drainText(connection.welcome.pool, facts));
  return EXIT.ok;
}

/** For people: a screen that follows the pool. */
async function show(connection: ControlConnection, output: Output, interruption: AbortSignal): Promise<number> {
  const leaving = new AbortController();
  const style = topStyle(process.stdout);
  let facts: TopFacts | undefined;
  const screen = new Screen(process.stdin, process.stdout, {
    onLeave: () => leaving.abort(),
    onResize: () => draw(),
  });
  const foot = screen.hasKeys ? 'q or Ctrl-C: leave' : 'Ctrl-C: leave';
  const draw = (): void => {
    if (facts !== undefined) screen.draw(topView(facts, screen.room, style, foot));
  };
  let end: PoolEnd;
  try {
    screen.open();
    let events: readonly PoolEvent[] = [];
    end = await followPool(connection, {
      signal: AbortSignal.any([interruption, leaving.signal]),
      clock: systemClock,
      onUpdate: (update) => {
        events = [...events, ...update.events].slice(-SHOWN_EVENTS);
        facts = { status: update.status, events };
        draw();
      },
    });
  } catch (error) {
    if (leaving.signal.aborted && !interruption.aborted) return EXIT.ok;
    throw error;
  } finally {
    screen[Symbol.dispose]();
  }
  output.write(drainText(connection.welcome.pool, end.facts));
  return EXIT.ok;
}
