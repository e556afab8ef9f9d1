import { runGuardian } from './guardian-program.ts';

await runGuardian();
