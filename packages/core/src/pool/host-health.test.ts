import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostHealth, type HostState } from './host-health.ts';

type Step = 'lose' | 'come back' | 'drain' | 'undrain';

function take(health: HostHealth, step: Step): void {
  if (step === 'lose') health.lose(health.epoch, 0);
  else if (step === 'come back') health.comeBack(0);
  else if (step === 'drain') health.drain();
  else health.undrain();
}

describe('the state of a host', () => {
  test.each<[readonly Step[], HostState]>([
    [[], 'up'],
    [['drain'], 'draining'],
    [['drain', 'undrain'], 'up'],
    [['lose'], 'down'],
    [['lose', 'come back'], 'up'],
    [['drain', 'lose'], 'down'],
    [['drain', 'lose', 'come back'], 'draining'],
    [['lose', 'drain'], 'down'],
    [['lose', 'drain', 'come back'], 'draining'],
    [['lose', 'drain', 'undrain'], 'down'],
    [['drain', 'lose', 'undrain', 'come back'], 'up'],
  ])('after %j is %s', (steps, state) => {
    const health = new HostHealth(3);
    for (const step of steps) take(health, step);
    expect(health.state).toBe(state);
  });

  test('is down exactly between a loss and a return, and draining only while told so, in any order of steps', () => {
    const step = fc.constantFrom<Step>('lose', 'come back', 'drain', 'undrain');
    const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const health = new HostHealth(2);
      let isDown = false;
      let isDraining = false;
      for (const each of steps) {
        take(health, each);
        if (each === 'lose') isDown = true;
        if (each === 'come back') isDown = false;
        if (each === 'drain') isDraining = true;
        if (each === 'undrain') isDraining = false;
        expect(health.state).toBe(isDown ? 'down' : isDraining ? 'draining' : 'up');
        expect(health.isDraining).toBe(isDraining);
      }
    });
    fc.assert(property);
  });

  test('is told once for each loss, and never for what began before it', () => {
    const health = new HostHealth(3);
    const before = health.epoch;
    expect([health.lose(before, 100), health.lose(before, 100), health.lose(health.epoch, 100)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(health.comeBack(350)).toBe(250);
    expect(health.lose(before, 400)).toBe(false);
    expect(health.state).toBe('up');
    expect(health.lose(health.epoch, 400)).toBe(true);
  });

  test('says what changed nothing', () => {
    const health = new HostHealth(3);
    expect([health.undrain(), health.drain(), health.drain(), health.undrain()]).toEqual([false, true, false, true]);
  });
});

describe('heartbeats', () => {
  test('take a host for lost only when that many in a row were missed', () => {
    const health = new HostHealth(3);
    expect([health.missed(), health.missed()]).toEqual([false, false]);
    health.answered();
    expect([health.missed(), health.missed(), health.missed()]).toEqual([false, false, true]);
    health.lose(health.epoch, 0);
    expect(health.misses).toBe(0);
  });
});
