import { join } from 'node:path';
import { type CallOptions, type GoldenImage, JoinedJobs, WarmvmError } from '@warmvm/core/driver';
import { sealImage } from '../golden/image-digest.ts';
import { COMMAND_LINE } from '../guest/command-line.ts';
import { RENEW_PATH } from '../guest/renew-script.ts';
import { createAptSource } from '../packages/apt-source.ts';
import type { PackageSource } from '../packages/package-source.ts';
import { type CachedImage, ImageCache } from './image-cache.ts';
import { buildTinyFiles } from './tiny-files.ts';
import { parseTinyOptions, type TinyImageOptions, type TinyImageProgress, type TinySettings } from './tiny-options.ts';
import { contentDigest, imageKey, recipeDigest, sha256 } from './tiny-recipe.ts';

const jobs = new JoinedJobs<CachedImage>();

/**
 * A tiny Linux guest with a shell and the guest agent, made from Debian packages without root, and kept in a cache: the
 * second call downloads nothing. The same package versions give the same bytes. Calls for one cache folder join one build.
 *
 * @throws TypeError, RangeError synchronously for bad options. Rejects with the signal's reason; WARMVM_NOT_SUPPORTED for
 * another architecture or without apt and dpkg; WARMVM_GOLDEN_MISSING when packages cannot be had; WARMVM_GOLDEN_INVALID
 * when packages or the cache folder are not as expected
 */
export function buildTinyImage(options: TinyImageOptions = {}): Promise<GoldenImage> {
  const settings = parseTinyOptions(options);
  return build(settings);
}

async function build(settings: TinySettings): Promise<GoldenImage> {
  if (settings.architecture !== 'x86_64') {
    throw new WarmvmError(
      'WARMVM_NOT_SUPPORTED',
      `The tiny image can be built for x86_64 only, not for ${settings.architecture}; describe an image of your own with describeDiskImage or describeKernelImage.`,
      { details: { architecture: settings.architecture } },
    );
  }
  // Sources are told apart by identity: a caller's own never joins a build from apt.
  const key = `${settings.cacheDir}\0${identify(settings.packageSource)}`;
  const { kernel, initrd } = await jobs.join(key, settings.signal, (signal) =>
    findOrBuild(settings, { signal }, settings.onProgress),
  );
  return sealImage(settings.name, {
    architecture: 'x86_64',
    boot: { kind: 'kernel', kernel, initrd, commandLine: COMMAND_LINE, diskBytes: settings.diskBytes },
    memoryBytes: settings.memoryBytes,
    virtualCpus: settings.virtualCpus,
    network: 'none',
    renewal: { command: RENEW_PATH },
  });
}

async function findOrBuild(
  settings: TinySettings,
  call: CallOptions,
  onProgress: (progress: TinyImageProgress) => void,
): Promise<CachedImage> {
  const cache = new ImageCache(settings.cacheDir);
  await cache.open();
  const source = settings.packageSource ?? createAptSource({ listsDirectory: join(settings.cacheDir, 'apt') });
  const pointer = async (): Promise<string> => sha256(`${recipeDigest()} ${await source.fingerprint(call)}`);
  const found = await findUnchanged(cache, await pointer(), source, call);
  if (found !== undefined) {
    onProgress({ step: 'reuse' });
    return found;
  }
  const built = await cache.withWorkFolder(async (directory) => {
    const files = await buildTinyFiles({ source, directory, onProgress, ...call });
    const key = imageKey(files.packages);
    const packages = files.packages.map(({ name, version, sha256: digest }) => ({ name, version, sha256: digest }));
    const manifest = {
      recipe: recipeDigest(),
      packages,
      kernel: contentDigest(files.kernel),
      initrd: contentDigest(files.initrd),
    };
    return cache.store(key, { ...files, manifest }, call);
  });
  // Asked again: resolving may have fetched package lists.
  await cache.setPointer(await pointer(), built.key);
  onProgress({ step: 'done' });
  return built;
}

async function findUnchanged(
  cache: ImageCache,
  pointer: string,
  source: PackageSource,
  call: CallOptions,
): Promise<CachedImage | undefined> {
  const known = await cache.pointer(pointer);
  const quick = known === undefined ? undefined : await cache.find(known, call);
  if (quick !== undefined) return quick;
  const candidates = (await cache.list()).filter(({ manifest }) => manifest.recipe === recipeDigest());
  if (candidates.length === 0) return undefined;
  const names = candidates.flatMap(({ manifest }) => manifest.packages.map(({ name }) => name));
  const today = await source.resolve([...new Set(names)].sort(), call);
  for (const { key, manifest } of candidates) {
    const same = manifest.packages.every(
      ({ name, version, sha256: digest }) => today.get(name)?.version === version && today.get(name)?.sha256 === digest,
    );
    const image = same ? await cache.find(key, call) : undefined;
    if (image !== undefined) {
      await cache.setPointer(pointer, key);
      return image;
    }
  }
  return undefined;
}

const identities = new WeakMap<PackageSource, number>();
let lastIdentity = 0;

function identify(source: PackageSource | undefined): number {
  if (source === undefined) return 0;
  const known = identities.get(source);
  if (known !== undefined) return known;
  lastIdentity += 1;
  identities.set(source, lastIdentity);
  return lastIdentity;
}
