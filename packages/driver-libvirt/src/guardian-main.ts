import { runGuardian } from './guardian-program.ts';

void runGuardian();
