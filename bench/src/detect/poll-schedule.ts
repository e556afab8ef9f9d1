import { Backoff } from '@warmvm/core';

/** When asking by the state-polling backoff asks next after a moment, both counted from the first question. */
export function nextQuestionAfter(momentMs: number): number {
  const delays = Backoff.statePolling()[Symbol.iterator]();
  let at = 0;
  while (at < momentMs) at += delays.next().value;
  return at;
}
