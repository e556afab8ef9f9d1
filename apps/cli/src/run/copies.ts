import { type FileHandle, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Guest, isWarmvmError } from '@warmvm/core';
import { shownText } from '@warmvm/core/driver';
import { ConfigError } from '../config/config-error.ts';

/** A longer file goes piece by piece: so much of it is in memory at a time. */
const PIECE_BYTES = 8_388_608;
/** As long as Node can wait: a large file over a slow connection takes its time, and Ctrl-C ends it. */
const FOREVER_MS = 2 ** 31 - 1;
const MOST_WORDS_BYTES = 1024;

/** A file to copy, between this computer and the guest. */
export interface Copy {
  readonly from: string;
  readonly to: string;
}

/**
 * Reads `from:to`; without `:to`, the name stays and the folder is `fallbackFolder`.
 * @throws ConfigError for anything else
 */
export function parseCopy(option: string, text: string, fallbackFolder: string): Copy {
  const [from = '', to, ...rest] = text.split(':');
  if (from === '' || to === '' || rest.length > 0) {
    throw new ConfigError(`${option} ${text}: expected FROM or FROM:TO`);
  }
  return { from, to: to ?? `${fallbackFolder}/${basename(from)}` };
}

/** Checks a file that is to be copied in, before anything is made for it. @throws ConfigError that names the file */
export async function checkCopyIn({ from }: Copy): Promise<void> {
  await using _file = await openToCopy(from);
}

/** @throws ConfigError that names the file; what the guest throws */
export async function copyIn(guest: Guest, { from, to }: Copy, signal: AbortSignal): Promise<void> {
  await using file = await openToCopy(from);
  const mode = (await file.stat()).mode & 0o777;
  for (let append = false; ; append = true) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES).catch((cause: unknown) => {
      throw unreadable(from, cause);
    });
    if (bytesRead === 0 && append) break;
    await guest.writeFile(to, buffer.subarray(0, bytesRead), { signal, append });
    if (bytesRead === 0) break;
  }
  // The agent makes files that nobody may run.
  if ((mode & 0o111) === 0) return;
  const { exitCode, stderr } = await guest.exec(['chmod', mode.toString(8), to], { signal });
  if (exitCode !== 0)
    throw new Error(`--copy-in ${from}: ${to} cannot be made executable in the guest: ${said(stderr)}`);
}

/** @throws ConfigError when it cannot be written here; what the guest throws */
export async function copyOut(guest: Guest, copy: Copy, signal: AbortSignal): Promise<void> {
  const { from, to } = copy;
  const content = await guest.readFile(from, { signal, maxBytes: PIECE_BYTES }).catch((error: unknown) => {
    if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED') && error.details.maxBytes !== undefined) return undefined;
    throw error;
  });
  if (content === undefined) return streamOut(guest, copy, signal);
  await writeFile(resolve(to), content).catch((cause: unknown) => {
    throw unwritable(to, cause);
  });
}

/** A file that is not whole never gets the name of one that is. */
async function streamOut(guest: Guest, { from, to }: Copy, signal: AbortSignal): Promise<void> {
  const target = resolve(to);
  const isNew = (await stat(target).catch(() => undefined))?.isFile() ?? true;
  const path = isNew ? `${target}.partial-${process.pid}` : target;
  try {
    await writing(to, async () => {
      await using file = await open(path, 'w');
      await receive(guest, from, to, file, signal);
    });
    if (isNew) await writing(to, () => rename(path, target));
  } catch (error) {
    if (isNew) await rm(path, { force: true });
    throw error;
  }
}

async function receive(guest: Guest, from: string, to: string, file: FileHandle, signal: AbortSignal): Promise<void> {
  let words = Buffer.alloc(0);
  const { exitCode } = await guest.exec(['cat', from], {
    signal,
    timeoutMs: FOREVER_MS,
    maxOutputBytes: Number.MAX_SAFE_INTEGER,
    async onOutput(bytes, stream) {
      if (stream === 'stderr') words = Buffer.concat([words, bytes]).subarray(0, MOST_WORDS_BYTES);
      else await writing(to, () => file.writeFile(bytes));
    },
  });
  if (exitCode !== 0) throw new Error(`--copy-out ${from}: the guest cannot read it: ${said(words)}`);
}

async function openToCopy(from: string): Promise<FileHandle> {
  try {
    const file = await open(resolve(from));
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw unreadable(from, cause);
  }
  throw new ConfigError(`--copy-in ${from} cannot be read: it is not a file; pack folders with tar`);
}

function unreadable(from: string, cause: unknown): ConfigError {
  return new ConfigError(`--copy-in ${from} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
  });
}

function unwritable(to: string, cause: unknown): ConfigError {
  return new ConfigError(`--copy-out to ${to} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
  });
}

/** Errors of this computer's files, and no others, are about `to`. */
async function writing(to: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isOurs = error instanceof Error && 'syscall' in error;
    throw isOurs ? unwritable(to, error) : error;
  }
}

function said(bytes: Uint8Array): string {
  return shownText(Buffer.from(bytes).toString('utf8').trim());
}
