import { join } from 'node:path';
import { type CallOptions, type GoldenImage, hostArchitecture, JoinedJobs } from '@warmvm/core/driver';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { sealImage } from '../golden/image-digest.ts';
import { commandLineFor } from '../guest/command-line.ts';
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
 * second call downloads nothing. The same package versions give the same bytes. Calls for one cache folder join one build. The
 * guest's architecture need not be this machine's: nothing of the packages is run.
 *
 * @throws TypeError, RangeError synchronously for bad options. Rejects with the signal's reason; WARMVM_NOT_SUPPORTED
 * without apt and dpkg; WARMVM_GOLDEN_MISSING when packages cannot be had; WARMVM_GOLDEN_INVALID
 * when packages or the cache folder are not as expected
 */
export function buildTinyImage(options: TinyImageOptions = {}): Promise<GoldenImage> {
  const settings = parseTinyOptions(options);
  return build(settings);
}

async function build(settings: TinySettings): Promise<GoldenImage> {
  const architecture = ARCHITECTURES[settings.architecture];
  // Sources are told apart by identity: a caller's own never joins a build from apt.
  const key = [settings.cacheDir, architecture.name, identify(settings.packageSource)].join('\0');
  const { kernel, initrd } = await jobs.join(key, settings.signal, (signal) =>
    findOrBuild(settings, { signal }, settings.onProgress),
  );
  return sealImage(settings.name, {
    architecture: architecture.name,
    boot: { kind: 'kernel', kernel, initrd, commandLine: commandLineFor(architecture), diskBytes: settings.diskBytes },
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
  const architecture = ARCHITECTURES[settings.architecture];
  const recipe = recipeDigest(architecture);
  const source = settings.packageSource ?? aptSource(settings);
  const pointer = async (): Promise<string> => sha256(`${recipe} ${await source.fingerprint(call)}`);
  const found = await findUnchanged(cache, { recipe, pointer: await pointer() }, source, call);
  if (found !== undefined) {
    onProgress({ step: 'reuse' });
    return found;
  }
  const built = await cache.withWorkFolder(async (directory) => {
    const files = await buildTinyFiles({ architecture, source, directory, onProgress, ...call });
    const key = imageKey(architecture, files.packages);
    const packages = files.packages.map(({ name, version, sha256: digest }) => ({ name, version, sha256: digest }));
    const manifest = {
      recipe,
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

/** The lists of each architecture are apart, as apt keeps only those that it was told of last. */
function aptSource({ architecture, cacheDir }: TinySettings): PackageSource {
  const { debian } = ARCHITECTURES[architecture];
  const listsDirectory = join(cacheDir, 'apt', debian);
  return createAptSource({ listsDirectory, ...(architecture === hostArchitecture() ? {} : { foreign: debian }) });
}

async function findUnchanged(
  cache: ImageCache,
  { recipe, pointer }: { readonly recipe: string; readonly pointer: string },
  source: PackageSource,
  call: CallOptions,
): Promise<CachedImage | undefined> {
  const known = await cache.pointer(pointer);
  const quick = known === undefined ? undefined : await cache.find(known, call);
  if (quick !== undefined) return quick;
  const candidates = (await cache.list()).filter(({ manifest }) => manifest.recipe === recipe);
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
