import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where `warmvm start` keeps the state of QEMU. Where root's home is closed to the user that QEMU runs as, a folder of the system's is not. */
export function startStateFolder(): string {
  if (process.getuid?.() === 0) return '/var/lib/warmvm/start';
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'warmvm', 'start');
}
