import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CallDeadlines } from './call-deadlines.ts';

function setUp() {
  const clock = new VirtualClock();
  const deadlines = new CallDeadlines(clock);
  const due: string[] = [];
  const dated = (name: string, delayMs: number) => {
    const one = { dueAt: deadlines.dueIn(delayMs), onDue: () => void due.push(name) };
    deadlines.add(one);
    return one;
  };
  return { clock, deadlines, due, dated };
}

test('many deadlines share a timer, and each is kept to the millisecond', () => {
  const { clock, due, dated } = setUp();
  dated('late', 300);
  dated('early', 100);
  dated('middle', 200);
  expect(clock.pending).toBe(1);
  clock.advance(99);
  expect(due).toEqual([]);
  clock.advance(1);
  expect(due).toEqual(['early']);
  clock.advance(100);
  expect(due).toEqual(['early', 'middle']);
  clock.advance(100);
  expect(due).toEqual(['early', 'middle', 'late']);
  expect(clock.pending).toBe(0);
});

test('what was answered in time is never due, and the timer that was set for it ends by itself', () => {
  const { clock, deadlines, due, dated } = setUp();
  deadlines.delete(dated('answered', 100));
  clock.advance(50);
  dated('waiting', 100);
  clock.advance(99);
  expect(due).toEqual([]);
  clock.advance(1);
  expect(due).toEqual(['waiting']);
  expect(clock.pending).toBe(0);
});

test('one call after another sets no timer of its own', () => {
  const { clock, deadlines, dated } = setUp();
  let set = 0;
  const { setTimer } = clock;
  clock.setTimer = (...parameters) => {
    set += 1;
    return setTimer.apply(clock, parameters);
  };
  for (let call = 0; call < 1000; call += 1) {
    deadlines.delete(dated('call', 30_000));
    clock.advance(1);
  }
  expect(set).toBe(1);
});

test('a deadline that is set while others are due is kept', () => {
  const { clock, deadlines, due, dated } = setUp();
  deadlines.add({ dueAt: 100, onDue: () => void dated('again', 50) });
  dated('later', 400);
  clock.advance(150);
  expect(due).toEqual(['again']);
  clock.advance(250);
  expect(due).toEqual(['again', 'later']);
});

test('never is no deadline, and stopping leaves no timer', () => {
  const { clock, deadlines, due, dated } = setUp();
  dated('never', Number.POSITIVE_INFINITY);
  expect(clock.pending).toBe(0);
  dated('some day', 1000);
  deadlines.stop();
  expect(clock.pending).toBe(0);
  clock.advance(10_000);
  expect(due).toEqual([]);
});
