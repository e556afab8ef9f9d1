import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Alarm } from './alarm.ts';
import { type DeadlineEntry, Deadlines, isPending } from './deadlines.ts';

function entry(onDue: () => void): DeadlineEntry {
  return { dueMs: 0, heapIndex: -1, lane: undefined, sooner: undefined, later: undefined, onDue };
}

describe('Deadlines', () => {
  test('tells each entry once, when its time has come and in order of it', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const deadlines = new Deadlines(clock, true);
    const told: [string, number][] = [];
    for (const [name, dueMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
    ] as const) {
      deadlines.add(
        entry(() => told.push([name, clock.now()])),
        dueMs,
      );
    }
    await clock.advance(100);
    expect(told).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ]);
    expect(deadlines.size).toBe(0);
  });

  test('needs one timer for any number of entries', () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock, true);
    for (let index = 0; index < 1_000; index += 1)
      deadlines.add(
        entry(() => {}),
        clock.now() + 1_000 + index,
      );
    expect(clock.pendingTimers).toBe(1);
  });

  test('does not tell an entry that was taken out, and takes out twice without harm', async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock, true);
    let told = 0;
    const removed = entry(() => {
      told += 1;
    });
    deadlines.add(removed, clock.now() + 10);
    deadlines.remove(removed);
    deadlines.remove(removed);
    await clock.advance(100);
    expect(told).toBe(0);
  });

  test('touches a constant number of entries for each that waits as long as others, wherever it leaves', () => {
    const touchesFor = (count: number): number => {
      let touches = 0;
      const deadlines = new Deadlines(new VirtualClock({ startMs: 0 }), true);
      const entries = Array.from({ length: count }, () => {
        const made = entry(() => {});
        let dueMs = 0;
        Object.defineProperty(made, 'dueMs', {
          get: () => {
            touches += 1;
            return dueMs;
          },
          set: (value: number) => {
            dueMs = value;
          },
        });
        return made;
      });
      for (const [index, made] of entries.entries()) deadlines.add(made, 1_000 * (1 + (index % 5)) + index);
      for (let index = 0; index < count; index += 1) deadlines.remove(entries[(index * 7) % count]!);
      expect(deadlines.size).toBe(0);
      return touches;
    };
    // Twice the last of each of eight lists, and no path of a heap of ten thousand.
    expect(touchesFor(10_000) / 10_000).toBeLessThan(2 * 8 + 2);
  });

  test('holds the process only while there is something to tell, and only when it should', () => {
    const clock = new VirtualClock();
    const holding = new Deadlines(clock, true);
    const waiting = entry(() => {});
    holding.add(waiting, clock.now() + 10);
    expect(clock.holdingTimers).toBe(1);
    holding.remove(waiting);
    expect(clock.pendingTimers).toBe(0);
    new Deadlines(clock, false).add(
      entry(() => {}),
      clock.now() + 10,
    );
    expect([clock.pendingTimers, clock.holdingTimers]).toEqual([1, 0]);
  });

  test('tells an entry that is added while others are told', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const deadlines = new Deadlines(clock, true);
    const told: number[] = [];
    const later = entry(() => told.push(clock.now()));
    deadlines.add(
      entry(() => deadlines.add(later, 25)),
      10,
    );
    await clock.advance(100);
    expect(told).toEqual([25]);
  });

  test('tells at once what is overdue when it is added', async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock, false);
    let told = false;
    deadlines.add(
      entry(() => {
        told = true;
      }),
      clock.now() - 5,
    );
    await clock.advance(0);
    expect(told).toBe(true);
  });

  test('forgets everything when it is cleared', async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock, true);
    const forgotten = entry(() => expect.unreachable());
    deadlines.add(forgotten, clock.now() + 10);
    deadlines.clear();
    expect([deadlines.size, isPending(forgotten), clock.pendingTimers]).toEqual([0, false, 0]);
    await clock.advance(100);
  });

  test('agrees with a sorted list after any sequence of additions and removals', async () => {
    const commands = fc.array(fc.record({ dueMs: fc.integer({ min: 1, max: 50 }), remove: fc.boolean() }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const clock = new VirtualClock({ startMs: 0 });
        const deadlines = new Deadlines(clock, false);
        const present: { dueMs: number; made: DeadlineEntry }[] = [];
        const told: number[] = [];
        for (const [index, { dueMs, remove }] of sequence.entries()) {
          const made = entry(() => told.push(made.dueMs));
          deadlines.add(made, dueMs);
          present.push({ dueMs, made });
          if (remove) deadlines.remove(present.splice(index % present.length, 1)[0]!.made);
        }
        expect(deadlines.size).toBe(present.length);
        await clock.advance(60);
        expect(told).toEqual(present.map(({ dueMs }) => dueMs).sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });
});

describe('Alarm', () => {
  test('goes off once at the time it was last set to', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const wentOff: number[] = [];
    const alarm = new Alarm(new Deadlines(clock, false), () => wentOff.push(clock.now()));
    alarm.set(10);
    alarm.set(30);
    await clock.advance(100);
    expect(wentOff).toEqual([30]);
    expect(alarm.isSet).toBe(false);
  });

  test('is moved to an earlier time and never to a later one by setNoLaterThan', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const wentOff: number[] = [];
    const alarm = new Alarm(new Deadlines(clock, false), () => wentOff.push(clock.now()));
    alarm.setNoLaterThan(20);
    alarm.setNoLaterThan(40);
    await clock.advance(50);
    alarm.set(90);
    alarm.setNoLaterThan(70);
    await clock.advance(50);
    expect(wentOff).toEqual([20, 70]);
  });

  test('does not go off after it was cancelled', async () => {
    const clock = new VirtualClock();
    const alarm = new Alarm(new Deadlines(clock, false), () => expect.unreachable());
    alarm.set(clock.now() + 10);
    alarm.cancel();
    await clock.advance(100);
    expect(alarm.isSet).toBe(false);
  });
});
