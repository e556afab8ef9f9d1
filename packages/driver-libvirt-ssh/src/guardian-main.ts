import { runGuardian } from '@warmvm/driver-libvirt';
import { guardianWay } from './guardian.ts';

await runGuardian(guardianWay);
