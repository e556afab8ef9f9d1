import type { Clock } from '@warmvm/core/driver';
import type { LibvirtDriverOptions } from '@warmvm/driver-libvirt';

/** How the far daemon's socket is reached. `auto` tries the three in this order and remembers which one worked. */
export type SshWay = 'streamlocal' | 'helper' | 'netcat';

/** A method of authentication. */
export type SshAuthMethod = 'publickey' | 'agent' | 'keyfile' | 'keyboard-interactive' | 'password';

/** Who is asked for, and how often already. */
export interface SecretRequest {
  readonly user: string;
  readonly host: string;
  /** 1 for the first time; at most 3. */
  readonly attempt: number;
}

/** A key that is encrypted. */
export interface PassphraseRequest extends SecretRequest {
  readonly keyFile: string;
}

/** Questions of a server. */
export interface KeyboardRequest extends SecretRequest {
  readonly name: string;
  readonly instructions: string;
  /** `echo` false: the answer is a secret. */
  readonly prompts: readonly { readonly prompt: string; readonly echo: boolean }[];
}

type Maybe<Value> = Value | undefined | Promise<Value | undefined>;

/** The way to a far libvirt. Either `uri` or `host` is needed. What the ssh configuration says is only taken where nothing is said here. */
export interface SshOptions {
  /** As libvirt writes it: `qemu+ssh://user@host:port/system?keyfile=...`. */
  readonly uri?: string;
  /** Name, address, or `Host` of the ssh configuration; instead of `uri`, as are `port` and `user`. */
  readonly host?: string;
  /** @default 22 */
  readonly port?: number;
  /** @default the user of this process */
  readonly user?: string;
  /** @default 'auto' */
  readonly way?: 'auto' | SshWay;
  /** The daemon's socket on the far host. @default where libvirt looks for it */
  readonly socketPath?: string;
  /** Program on the far host for the way `netcat`. @default `nc`, `ncat` or `socat`, whichever is there */
  readonly netcat?: string;
  /** Private keys, tried before the others. @default those of the ssh configuration, else those in `~/.ssh` */
  readonly keyFile?: string | readonly string[];
  /** Socket of an ssh agent; false for none. @default `IdentityAgent`, else `SSH_AUTH_SOCK` */
  readonly agent?: string | false;
  /** Of the agent's keys offer only those that are named as files. @default false */
  readonly identitiesOnly?: boolean;
  /** Which methods, in this order; `publickey` is agent and key files as OpenSSH orders them. */
  readonly authMethods?: readonly SshAuthMethod[];
  /** Asked for the passphrase of an encrypted key; undefined leaves the key out. */
  readonly passphrase?: (request: PassphraseRequest) => Maybe<string>;
  /** Asked for the password; undefined gives the method up. */
  readonly password?: (request: SecretRequest) => Maybe<string>;
  /** Answers what the server asks, one answer for each prompt; undefined gives the method up. */
  readonly keyboardInteractive?: (request: KeyboardRequest) => Maybe<readonly string[]>;
  /** Files of known host keys; the first is written to by `accept-new`. @default `~/.ssh/known_hosts` and the like, and the global ones */
  readonly knownHosts?: string | readonly string[];
  /** `accept-new` takes the key of a host that has none yet, and writes it down. A changed key is always refused. @default 'strict' */
  readonly hostKeys?: 'strict' | 'accept-new';
  /** Hosts on the way, each `user@host:port`, the nearest first. @default `ProxyJump` */
  readonly proxyJump?: string | readonly string[];
  /** Whether `~/.ssh/config` and `/etc/ssh/ssh_config` are read; a path is read instead of both. @default true */
  readonly sshConfig?: boolean | string;
  /** For the connection to each host on the way, authentication and what it asks people for included. @default `ConnectTimeout`, else 20000 */
  readonly connectTimeoutMs?: number;
  /** Silence before ssh asks for a sign of life. @default `ServerAliveInterval`, else 5000 */
  readonly keepaliveIntervalMs?: number;
  /** Questions without an answer before the link counts as lost. @default `ServerAliveCountMax`, else 3 */
  readonly keepaliveCount?: number;
  /** Connections to the host at most; a further one is made when the server takes no more channels on the others. @default 4 */
  readonly maxConnections?: number;
  readonly clock?: Clock;
}

/** Options of `createLibvirtSshDriver`: the way to the host, and those of `createLibvirtDriver` that make sense far away. */
export interface LibvirtSshDriverOptions
  extends SshOptions,
    Omit<LibvirtDriverOptions, 'uri' | 'dial' | 'guardian' | 'clock' | 'connectTimeoutMs' | 'reconnectMs'> {
  /**
   * How long a link that broke is tried to be made anew before the host counts as lost and every machine with it; 0 for not at all.
   * @default 20000
   */
  readonly reconnectMs?: number;
  /**
   * A small process with an ssh connection of its own, which removes from the host what this driver left when its process was killed. No callback
   * reaches it: it needs an agent, or a key file without a passphrase. `true` makes one that cannot log in an error of `prepare` and `fork`.
   * @default one where it can log in by itself, else none, with the warning `WARMVM_NO_GUARDIAN` of this process
   */
  readonly guardian?: boolean | URL;
  /** How long the guardian tries to reach the host after this process was killed. @default 600000 */
  readonly guardianGiveUpMs?: number;
}
