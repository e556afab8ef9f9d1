import type { KitCase } from '../kit-case.ts';
import { cancelCases } from './cancel.ts';
import { concCases } from './conc.ts';
import { disposeCases } from './dispose.ts';
import { errorCases } from './error.ts';
import { faultCases } from './fault.ts';
import { forkCases } from './fork.ts';
import { guestCases } from './guest.ts';
import { hostLossCases } from './host-loss.ts';
import { lifeCases } from './life.ts';
import { manifestCases } from './manifest.ts';
import { recoverCases } from './recover.ts';
import { resetCases } from './reset.ts';
import { stateCases } from './state.ts';

const GROUPS: readonly (readonly KitCase[])[] = [
  manifestCases,
  lifeCases,
  forkCases,
  resetCases,
  stateCases,
  guestCases,
  cancelCases,
  errorCases,
  concCases,
  disposeCases,
  recoverCases,
  hostLossCases,
  faultCases,
];

/**
 * Every case, in the order in which a run takes them: those that share a golden snapshot first, so that it is made as seldom as
 * can be.
 */
export const kitCases: readonly KitCase[] = [
  ...GROUPS.flat().filter(({ expensive }) => !expensive),
  ...GROUPS.flat().filter(({ expensive }) => expensive),
];
