import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, WarmvmError } from '@warmvm/core/driver';
import { referToFile } from '@warmvm/guest-image';
import { GOLDEN_FILES, type GoldenManifest, MANIFEST_NAME, readManifest } from './manifest.ts';

/** A golden snapshot that is loaded: what forks are made from. */
export interface Template {
  /** Folder with its files. */
  readonly directory: string;
  readonly manifest: GoldenManifest;
  /** The devices, in memory: a fork reads no file but what QEMU maps. */
  readonly state: Uint8Array;
  /** Device, inode, size and times of its files, which any write to them changes. */
  readonly fingerprint: string;
}

/** Absolute path of one file of a golden snapshot. */
export function fileOf(directory: string, name: (typeof GOLDEN_FILES)[number]): string {
  return join(directory, name);
}

/**
 * Loads a golden snapshot and proves that its files are those that were made, by their digests: memory, disk and state are read
 * once. Undefined when it is not there, or not whole.
 * @throws the signal's reason
 */
export async function loadTemplate(directory: string, options: CallOptions): Promise<Template | undefined> {
  const manifest = await manifestIn(directory);
  if (manifest === undefined) return undefined;
  const fingerprint = await fingerprintOf(directory).catch(absent);
  if (fingerprint === undefined) return undefined;
  for (const name of GOLDEN_FILES) {
    const facts = await referToFile(fileOf(directory, name), options).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      return error;
    });
    const expected = manifest.files[name];
    const whole = isFacts(facts) && facts.digest === expected.digest && facts.sizeBytes === expected.sizeBytes;
    if (!whole) return undefined;
  }
  const state = await readFile(fileOf(directory, 'state'));
  return fingerprint === (await fingerprintOf(directory)) ? { directory, manifest, state, fingerprint } : undefined;
}

/**
 * Looks, without reading them, whether the files are still those that were loaded.
 * @throws WARMVM_GOLDEN_MISSING
 */
export async function requireUnchanged({ directory, manifest, fingerprint }: Template): Promise<void> {
  const { digest } = manifest;
  let found: string;
  try {
    found = await fingerprintOf(directory);
  } catch (cause) {
    throw new WarmvmError('WARMVM_GOLDEN_MISSING', `the golden snapshot ${digest} is gone from the disk`, {
      cause,
      details: { digest },
    });
  }
  if (found === fingerprint) return;
  throw new WarmvmError(
    'WARMVM_GOLDEN_MISSING',
    `the golden snapshot ${digest} was written to; prepare makes it anew`,
    {
      cause: new Error(`expected ${fingerprint}, found ${found}`),
      details: { digest },
    },
  );
}

async function manifestIn(directory: string): Promise<GoldenManifest | undefined> {
  try {
    return readManifest(await readFile(join(directory, MANIFEST_NAME), 'utf8'));
  } catch (error) {
    return absent(error);
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** The time of the last change of an inode can be set back by nobody. */
async function fingerprintOf(directory: string): Promise<string> {
  const parts: string[] = [];
  for (const name of GOLDEN_FILES) {
    const { dev, ino, size, ctimeNs } = await lstat(fileOf(directory, name), { bigint: true });
    parts.push([dev, ino, size, ctimeNs].join(':'));
  }
  return parts.join(' ');
}

function isFacts(value: unknown): value is { readonly digest: string; readonly sizeBytes: number } {
  return typeof value === 'object' && value !== null && 'digest' in value && 'sizeBytes' in value;
}
