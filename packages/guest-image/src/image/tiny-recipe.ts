import { createHash } from 'node:crypto';
import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { commandLineFor, MODULES, NETWORK_MODULES } from '../guest/command-line.ts';
import { hardwareClockProgram } from '../guest/hardware-clock-program.ts';
import { initScript, SHUTDOWN_SCRIPT } from '../guest/init-script.ts';
import { RENEW_SCRIPT } from '../guest/renew-script.ts';
import { reseedProgram } from '../guest/reseed-program.ts';
import type { SourcePackage } from '../packages/package-source.ts';

/** Packages the image starts from; the kernel is what the first of them depends on. */
export function rootPackages({ debian }: GuestArchitecture): Readonly<Record<'kernel' | 'shell' | 'agent', string>> {
  return { kernel: `linux-image-cloud-${debian}`, shell: 'busybox-static', agent: 'qemu-guest-agent' };
}

/** Raised when the same packages would be packed into other bytes for a reason that the recipe does not show. */
const BUILDER_VERSION = 2;

/** 64 hexadecimal digits over all that this package itself puts into an image for an architecture. */
export function recipeDigest(architecture: GuestArchitecture): string {
  const recipe = [
    BUILDER_VERSION,
    rootPackages(architecture),
    MODULES,
    NETWORK_MODULES,
    commandLineFor(architecture),
    initScript([], []),
    SHUTDOWN_SCRIPT,
    RENEW_SCRIPT,
    Buffer.from(reseedProgram(architecture)).toString('hex'),
    Buffer.from(hardwareClockProgram(architecture)).toString('hex'),
  ];
  return sha256(JSON.stringify(recipe));
}

/** The name of an image in the cache: 64 hexadecimal digits over the recipe and the packages it was applied to. */
export function imageKey(architecture: GuestArchitecture, packages: readonly SourcePackage[]): string {
  const facts = packages.map(({ name, version, sha256: digest }) => `${name} ${version} ${digest}`).sort();
  return sha256(JSON.stringify([recipeDigest(architecture), facts]));
}

/** 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** `sha256:` and 64 hexadecimal digits. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
