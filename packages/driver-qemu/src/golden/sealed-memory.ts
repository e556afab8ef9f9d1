import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { arch, platform } from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type CallOptions, JoinedJobs, WarmvmError } from '@warmvm/core/driver';
import type { Containment } from '../containment/launch.ts';
import { fileOf, type Template } from './template.ts';

/** The sealed memories of a driver's templates, each made when the first fork needs it. */
export class SealedMemories {
  readonly #made = new Map<string, FileHandle>();
  readonly #making = new JoinedJobs<FileHandle>();

  /** @throws WARMVM_HOST_OPERATION where this host cannot make one */
  async of(
    { directory, fingerprint }: Template,
    containment: Containment,
    { signal }: CallOptions,
  ): Promise<FileHandle> {
    const known = this.#made.get(fingerprint);
    if (known !== undefined) return known;
    const make = async (): Promise<FileHandle> => {
      const memory = await sealMemory(fileOf(directory, 'memory'), containment);
      this.#made.set(fingerprint, memory);
      return memory;
    };
    return this.#making.join(fingerprint, signal, make);
  }

  async close(): Promise<void> {
    for (const [fingerprint, memory] of this.#made) {
      this.#made.delete(fingerprint);
      await memory.close();
    }
  }
}

/** Node has no call that makes or seals a memory file: these are the kernel's numbers of memfd_create. */
const MEMFD_CREATE: Readonly<Record<string, number>> = { x64: 319, arm64: 279 };

/**
 * Copies standard input, without its holes, into a memory file, seals it against every change, and prints its descriptor. The
 * descriptor lives until the second input ends. 3: close on exec, may be sealed. 1033, 15: F_ADD_SEALS, all of seal, shrink, grow,
 * write.
 */
const SEAL = `
use strict;
$| = 1;
my ($call, $size) = @ARGV;
my $name = "warmvm-template";
my $memory = syscall($call + 0, $name, 3);
die "memfd_create: $!\\n" if $memory < 0;
open(my $to, "+<&=", $memory) or die "open: $!\\n";
truncate($to, $size) or die "truncate: $!\\n";
my ($at, $zeros) = (0, "\\0" x 65536);
while (my $read = sysread(STDIN, my $part, 65536)) {
  if ($part ne substr($zeros, 0, $read)) {
    sysseek($to, $at, 0);
    syswrite($to, $part) == $read or die "write: $!\\n";
  }
  $at += $read;
}
$at == $size or die "the file has $at bytes, not $size\\n";
fcntl($to, 1033, 15) or die "F_ADD_SEALS: $!\\n";
print "$memory\\n";
open(my $until, "<&=", 3);
sysread($until, my $end, 1);
`;

/**
 * A copy of a file in memory that nobody can ever write to, not even who owns it: the kernel refuses every write and every shared
 * mapping that could be written to. It opens for writing all the same, as QEMU before 8.2 opens what it only maps privately.
 * @throws WARMVM_HOST_OPERATION where this host cannot make one
 */
export async function sealMemory(path: string, { perl }: Containment): Promise<FileHandle> {
  const call = platform === 'linux' ? MEMFD_CREATE[arch] : undefined;
  if (perl === undefined || call === undefined)
    throw cannotSeal('perl is missing, or this is not Linux on x86-64 or arm64');
  const source = await open(path, 'r');
  try {
    const { size } = await source.stat();
    const child = spawn(perl, ['-e', SEAL, String(call), String(size)], {
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdio: [source.fd, 'pipe', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit');
    ended.catch(() => {});
    const until = child.stdio[3];
    until?.on('error', () => {});
    try {
      const descriptor = await firstLine(child.stdout as Readable, child.stderr as Readable);
      return await open(`/proc/${child.pid}/fd/${descriptor}`, 'r');
    } finally {
      until?.destroy();
      child.kill('SIGKILL');
      await ended.catch(() => {});
    }
  } catch (cause) {
    throw cannotSeal((cause as Error).message, cause);
  } finally {
    await source.close();
  }
}

/** @throws Error with what the program complains about */
async function firstLine(output: Readable, complaints: Readable): Promise<number> {
  let said = '';
  complaints.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('latin1')).slice(0, 300);
  });
  const lines = createInterface({ input: output });
  for await (const line of lines) if (/^\d{1,9}$/.test(line)) return Number(line);
  throw new Error(said.trim() || 'perl ended without a word');
}

function cannotSeal(reason: string, cause?: unknown): WarmvmError {
  const remedy = 'install QEMU 8.2 or newer, or perl';
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `the template's memory cannot be protected from QEMU: ${reason}; ${remedy}`,
    {
      details: { reason, remedy },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
