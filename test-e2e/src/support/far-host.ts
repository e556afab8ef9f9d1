import { setTimeout as delay } from 'node:timers/promises';
import type { LibvirtSshDriverOptions } from '@warmvm/driver-libvirt-ssh';
import { startFarNetwork } from './far-network.ts';
import { type SecondHost, startSecondHost } from './second-host.ts';
import { type SshHost, startSshHost } from './ssh-host.ts';

/** What can be cut: ssh connections, sshd with them, the libvirt daemon, or the network, which tells nobody. */
export type Cut = 'connections' | 'sshd' | 'libvirtd' | 'packets';

export const CUTS: readonly Cut[] = ['connections', 'sshd', 'libvirtd', 'packets'];

/** Another computer as far as anybody can tell: a libvirtd and an sshd with a network of its own. */
export interface FarHost extends AsyncDisposable {
  readonly libvirt: SecondHost;
  readonly ssh: SshHost;
  /** What reaches it. */
  readonly options: LibvirtSshDriverOptions;
  /** Cuts, for good. */
  cut(what: Cut): Promise<void>;
  /** Makes whole what was cut. */
  mend(what: Cut): Promise<void>;
  /** Cuts for as long as a person needs to put the plug back, and longer than it takes to be found out. */
  interrupt(what: Cut): Promise<void>;
}

/** Silence is found out within 3 times this. */
const KEEPALIVE_MS = 400;
const SILENCE_MS = 2_000;

/**
 * @param settings lines of its libvirtd.conf
 * @throws Error when this is not Linux with root, libvirtd, sshd, tini and iproute2
 */
export async function startFarHost(settings: readonly string[] = []): Promise<FarHost> {
  const libvirt = await startSecondHost(settings);
  const network = await startFarNetwork();
  // Who vanished without a word is let go of by sshd only when it asks.
  const ssh = await startSshHost(['ClientAliveInterval 2', 'ClientAliveCountMax 2'], network);
  const socketPath = libvirt.uri.replace(/^.*socket=/, '');
  const keepalive = { keepaliveIntervalMs: KEEPALIVE_MS, keepaliveCount: 2 };
  const cut = async (what: Cut): Promise<void> => {
    if (what === 'connections') await ssh.killSessions();
    else if (what === 'sshd') await ssh.kill();
    else if (what === 'libvirtd') await libvirt.kill();
    else await network.drop(true);
  };
  const mend = async (what: Cut): Promise<void> => {
    if (what === 'sshd') await ssh.start();
    else if (what === 'libvirtd') await libvirt.start();
    else if (what === 'packets') await network.drop(false);
  };
  return {
    libvirt,
    ssh,
    // It goes away with its suite: nobody need look for it for long.
    options: { ...ssh.options, ...keepalive, socketPath, guardianGiveUpMs: 20_000 },
    cut,
    mend,
    async interrupt(what) {
      await cut(what);
      if (what === 'packets') await delay(SILENCE_MS);
      await mend(what);
    },
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await libvirt[Symbol.asyncDispose]();
    },
  };
}
