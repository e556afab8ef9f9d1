import { runSshGuardian } from './guardian.ts';

void runSshGuardian();
