import type {
  CallOptions,
  Driver,
  DriverCapabilities,
  ForkOptions,
  GoldenImage,
  GoldenSnapshot,
  HostReport,
  Machine,
  MachineRecord,
  OwnerTag,
  PrepareOptions,
} from '@warmvm/core/driver';
import { checkOptions, type OptionRules } from '@warmvm/core/driver';
import { createLibvirtDriver, libvirtOptionRules } from '@warmvm/driver-libvirt';
import { dialerOf, type SshDialer } from './dialer.ts';
import { guardianProgram } from './guardian.ts';
import type { LibvirtSshDriverOptions } from './options/options.ts';
import { parseSshOptions } from './options/parse-options.ts';
import { libvirtSshOptionRules, SSH_RULES } from './options/rules.ts';

/** Networks are away for longer than daemons. */
const RECONNECT_MS = 20_000;
/** Longer than any chain of hosts takes, and people who type passwords. */
const WHOLE_WAY_MS = 600_000;

/**
 * A driver for a libvirt daemon on another host. Nothing is read, connected or started before the first call.
 * @throws TypeError, RangeError for bad options
 */
export function createLibvirtSshDriver(options: LibvirtSshDriverOptions): Driver {
  checkOptions(options, libvirtSshOptionRules);
  const way = only(options, SSH_RULES);
  const parsed = parseSshOptions(way);
  const { driver } = parsed;
  if (driver !== 'qemu')
    throw new TypeError(`options.uri names the hypervisor ${driver}, expected qemu+ssh://host/system`);
  const dialer = dialerOf(parsed);
  const set = only({ ...options, reconnectMs: options.reconnectMs ?? RECONNECT_MS }, libvirtOptionRules);
  // The parts of the way have deadlines of their own, which know better what went wrong.
  const whole = {
    connectTimeoutMs: WHOLE_WAY_MS,
    uri: dialer.uri,
    dial: dialer.dial,
    guardian: guardianProgram(parsed, options),
  };
  return new LibvirtSshDriver(createLibvirtDriver({ ...set, ...whole }), dialer);
}

/** Those options that there are rules for. */
function only(options: LibvirtSshDriverOptions, rules: OptionRules): LibvirtSshDriverOptions {
  const entries = Object.entries(options).filter(([name, value]) => Object.hasOwn(rules, name) && value !== undefined);
  return Object.fromEntries(entries);
}

/** The libvirt driver, and the ssh connections that end after it. */
class LibvirtSshDriver implements Driver {
  readonly specificationVersion = 1;
  readonly name = 'libvirt-ssh';
  readonly capabilities: DriverCapabilities;
  readonly #inner: Driver;
  readonly #dialer: SshDialer;
  #disposed: Promise<void> | undefined;

  constructor(inner: Driver, dialer: SshDialer) {
    this.#inner = inner;
    this.#dialer = dialer;
    this.capabilities = inner.capabilities;
  }

  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    return this.#inner.prepare(image, options);
  }

  fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    return this.#inner.fork(golden, options);
  }

  list(owner: Pick<OwnerTag, 'pool'>, options?: CallOptions): Promise<readonly MachineRecord[]> {
    return this.#inner.list(owner, options);
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#inner.adopt(record, options);
  }

  remove(record: MachineRecord, options?: CallOptions): Promise<void> {
    return this.#inner.remove(record, options);
  }

  ping(options?: CallOptions): Promise<HostReport> {
    return this.#inner.ping(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    try {
      await this.#inner[Symbol.asyncDispose]();
    } finally {
      await this.#dialer[Symbol.asyncDispose]();
    }
  }
}
