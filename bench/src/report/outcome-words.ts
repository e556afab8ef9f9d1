import type { Call } from '../result/comparison.ts';
import type { Outcome } from '../result/verdict.ts';

/** Colour of a word: what people look for first is never told by colour alone. */
export type Tone = 'good' | 'fair' | 'bad' | 'plain';

/** How an outcome is shown everywhere: a mark that needs no colour, a word, and a tone. */
export interface Wording {
  readonly mark: string;
  readonly word: string;
  readonly tone: Tone;
}

export const OUTCOME_WORDS: Readonly<Record<Outcome, Wording>> = {
  'goal-met': { mark: '★', word: 'goal met', tone: 'good' },
  'floor-met': { mark: '✓', word: 'floor met', tone: 'good' },
  'floor-missed': { mark: '✗', word: 'floor missed', tone: 'bad' },
  'as-stated': { mark: '✓', word: 'as stated', tone: 'good' },
  'stated-missed': { mark: '!', word: 'stated missed', tone: 'fair' },
  recorded: { mark: '·', word: 'recorded', tone: 'plain' },
  'not-measured': { mark: '○', word: 'not measured', tone: 'fair' },
};

export const CALL_WORDS: Readonly<Record<Call, Wording>> = {
  better: { mark: '▲', word: 'better', tone: 'good' },
  worse: { mark: '▼', word: 'worse', tone: 'bad' },
  unchanged: { mark: '=', word: 'unchanged', tone: 'plain' },
  undecided: { mark: '?', word: 'undecided', tone: 'plain' },
};
