// Makes this computer ready for the suites that boot guests: packages, and a libvirt daemon below a subreaper.
import { existsSync, readFileSync } from 'node:fs';
import { systemCommandRunner } from '../packages/local-host/src/command-runner.ts';
import { ensureLibvirtDaemon, type LibvirtDaemon } from '../packages/local-host/src/daemon.ts';
import { ensurePackages, hypervisorPackages } from '../packages/local-host/src/packages.ts';

/** A computer on which the real suites can run, or why they cannot. */
export type RealHosts =
  | { readonly kind: 'ready'; readonly environment: Readonly<Record<string, string>>; readonly daemon: LibvirtDaemon }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Packages that only the suites need: the real guest agent, which one of them runs on this computer, both ends of libvirt over ssh with a network
 * between them, the QEMU of another processor, what makes a disk that boots by itself, and shells that complete the command line.
 */
const SUITE_PACKAGES = [
  'qemu-guest-agent',
  'openssh-server',
  'openssh-client',
  'netcat-openbsd',
  'iproute2',
  'zsh',
  'fish',
  ...(process.arch === 'x64' ? ['qemu-system-arm', 'grub-common', 'grub-pc-bin', 'cpio', 'e2fsprogs'] : []),
];

/** Browsers that the suite of the bench report can drive, under the names that Debian, Google and Ubuntu give them. */
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];

/** Real suites must run in CI, and wherever WARMVM_REAL=1 says so. */
export function realSuitesMandatory(environment: Readonly<Record<string, string | undefined>>): boolean {
  const on = (value: string | undefined): boolean =>
    value !== undefined && value !== '' && value !== '0' && value !== 'false';
  return on(environment.CI) || on(environment.WARMVM_REAL);
}

/**
 * Prepares this computer. `environment` tells the suites where to go: `WARMVM_LIBVIRT_SOCKET` is the daemon's socket,
 * `WARMVM_SUBREAPER` who reaps its guests, `WARMVM_BROWSER` a browser, empty where there is none.
 */
export async function prepareRealHosts(signal: AbortSignal, print: (text: string) => void): Promise<RealHosts> {
  if (process.platform !== 'linux')
    return { kind: 'unavailable', reason: `real suites need Linux, this is ${process.platform}` };
  if (process.getuid?.() !== 0)
    return { kind: 'unavailable', reason: 'real suites need root: they use the system libvirt daemon' };
  const common = { runner: systemCommandRunner, onProgress: (text: string) => print(`         ${text}`), signal };
  const packages = await ensurePackages({
    ...common,
    packages: [...hypervisorPackages(), ...SUITE_PACKAGES, ...browserPackages()],
  });
  if (packages.kind === 'impossible') return { kind: 'unavailable', reason: packages.reason };
  const daemon = await ensureLibvirtDaemon(common);
  const environment = {
    WARMVM_LIBVIRT_SOCKET: daemon.socketPath,
    WARMVM_SUBREAPER: daemon.subreaper,
    WARMVM_BROWSER: BROWSERS.find((path) => existsSync(path)) ?? '',
  };
  return { kind: 'ready', environment, daemon };
}

/** Debian's own package where no browser is installed yet. Ubuntu has none that installs outside a snap: its CI images have Chrome. */
function browserPackages(): readonly string[] {
  return BROWSERS.some((path) => existsSync(path)) || isUbuntu() ? [] : ['chromium'];
}

function isUbuntu(): boolean {
  return existsSync('/etc/os-release') && /^ID="?ubuntu"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
}
