import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { suiteResult } from '../../fixtures/results.ts';
import { PlainView } from './plain-view.ts';
import { PLAIN_STYLE } from './style.ts';

function plainView(): { readonly view: PlainView; readonly clock: VirtualClock; readonly text: () => string } {
  let text = '';
  const clock = new VirtualClock();
  const write = (piece: string): void => {
    text += piece;
  };
  return { view: new PlainView({ write, style: PLAIN_STYLE, clock }), clock, text: () => text };
}

describe('PlainView', () => {
  test('writes whole lines in the order of what happens', () => {
    const { view, text } = plainView();
    view.listen({ type: 'run-started', suites: [{ suite: 'reset', driver: 'libvirt' }] });
    view.listen({ type: 'suite-started', suite: 'reset', driver: 'libvirt', what: 'machines brought back' });
    view.listen({ type: 'step', text: 'warm-up\u001b[2K' });
    view.listen({ type: 'suite-ended', result: suiteResult((recorder) => recorder.add('to ready', 5)) });
    expect(text().split('\n').slice(0, 3)).toEqual(['reset (libvirt): machines brought back', '  warm-up', '']);
    expect(text()).toMatch(/to ready .*5 ms.*\n/);
    expect(text().endsWith('\n')).toBe(true);
  });

  test('tells of rounds at most ten times, the last one always, with the time that remains', async () => {
    const { view, clock, text } = plainView();
    view.listen({ type: 'suite-started', suite: 'cycle', driver: 'fake', what: 'cycles' });
    for (let done = 1; done <= 200; done += 1) {
      await clock.advance(100);
      view.listen({ type: 'rounds', done, of: 200 });
    }
    const rounds = text()
      .split('\n')
      .filter((line) => line.includes('round'));
    expect(rounds.length).toBeLessThanOrEqual(11);
    expect(rounds).toContain('  round 100 of 200, about 10 s left');
    expect(rounds.at(-1)).toBe('  round 200 of 200');
  });
});
