import { resolve } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { type GuardianProgram, type GuardianWay, guardianModule, runGuardian } from '@warmvm/driver-libvirt';
import { dialerOf } from './dialer.ts';
import type { LibvirtSshDriverOptions } from './options/options.ts';
import type { ParsedSshOptions } from './options/parse-options.ts';

/** The way to the host, without what cannot be told to another process or must not: functions, and with them every secret. */
type ToldWay = Omit<ParsedSshOptions, 'passphrase' | 'password' | 'keyboardInteractive' | 'clock'>;

/** Networks are away for longer than daemons. */
const GIVE_UP_MS = 600_000;
/** For one connection over all hosts on the way: nobody is waited for who types. */
const CONNECT_TIMEOUT_MS = 120_000;

/**
 * The guardian of a far host: a process with an ssh connection of its own, which it makes before it takes note of anything and keeps for the day
 * on which an agent may be gone. The options were checked before.
 */
export function guardianProgram(
  { passphrase: _1, password: _2, keyboardInteractive: _3, clock: _4, ...way }: ParsedSshOptions,
  { guardian, guardianGiveUpMs = GIVE_UP_MS }: Pick<LibvirtSshDriverOptions, 'guardian' | 'guardianGiveUpMs'>,
): false | GuardianProgram {
  if (guardian === false) return false;
  return {
    module: guardian instanceof URL ? guardian : guardianModule(import.meta.url, '@warmvm/driver-libvirt-ssh'),
    way: wayFromAnywhere(way),
    giveUpMs: guardianGiveUpMs,
    isOptional: guardian === undefined,
  };
}

/** It runs in another folder, and nobody is there to be asked. */
function wayFromAnywhere(way: ToldWay): ToldWay {
  const { keyFiles, knownHosts, sshConfig, agent } = way;
  const absolute = (path: string): string => (path.startsWith('~/') ? path : resolve(path));
  return {
    ...way,
    keyFiles: keyFiles?.map(absolute),
    knownHosts: knownHosts?.map(absolute),
    sshConfig: typeof sshConfig === 'string' ? resolve(sshConfig) : sshConfig,
    ...(typeof agent === 'string' ? { agent: resolve(agent) } : {}),
    workingFolder: process.cwd(),
    isBatch: true,
  };
}

/** The other end of it: how the guardian's process reaches the host. */
export function guardianWay(told: unknown): GuardianWay {
  const { dial } = dialerOf({ ...(told as ToldWay), clock: systemClock });
  return { dial, connectTimeoutMs: CONNECT_TIMEOUT_MS };
}

/** The whole life of a guardian's process of this driver: for a bundled program, in a file of its own that `options.guardian` names. */
export function runSshGuardian(): Promise<never> {
  return runGuardian(guardianWay);
}
