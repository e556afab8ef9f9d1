import type { Clock, GoldenImage } from '@warmvm/core/driver';
import { GuestFileError, GuestFiles, guestPath } from './guest-files.ts';
import { GuestRandom } from './guest-random.ts';

/** A program that runs in a guest. */
export interface GuestProcess {
  readonly pid: number;
  readonly command: readonly string[];
  /** Ends it with a signal; absent for what was there when the golden snapshot was taken. */
  readonly kill?: (signalNumber: number) => void;
}

interface GuestParts {
  readonly memory: GuestFiles;
  readonly disk: GuestFiles;
  readonly processes: Map<number, GuestProcess>;
  readonly random: GuestRandom;
}

const DISK = '/disk';
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MEMORY_GENERATION = '/run/warmvm/generation';
const DISK_GENERATION = '/disk/.warmvm-generation';

/** Everything inside a guest: files in memory, files under `/disk`, processes, clock, randomness and identity. */
export class GuestWorld {
  readonly memory: GuestFiles;
  readonly disk: GuestFiles;
  readonly processes: Map<number, GuestProcess>;
  readonly random: GuestRandom;
  /** How far the guest's clock is from the host's wall clock. */
  clockOffsetMs = 0;

  constructor(parts: GuestParts) {
    this.memory = parts.memory;
    this.disk = parts.disk;
    this.processes = parts.processes;
    this.random = parts.random;
  }

  /** What the guest believes the time is, in milliseconds since the Unix epoch. */
  timeMs(clock: Clock): number {
    return clock.wallTimeMs() + this.clockOffsetMs;
  }

  /** The files that hold this path: what is below `/disk` lies on the disk, all else in memory. */
  filesOf(path: string): GuestFiles {
    return path === DISK || path.startsWith(`${DISK}/`) ? this.disk : this.memory;
  }

  /** Folders are implied by what is in them; some are there in any guest. */
  hasFolder(path: string): boolean {
    if (['/', DISK, '/etc', '/run', '/tmp'].includes(path)) return true;
    return this.filesOf(path)
      .paths()
      .some((file) => file.startsWith(`${path}/`));
  }

  /** @throws GuestFileError when there is no such file */
  read(path: string): Uint8Array {
    const normal = guestPath(path);
    const content = this.filesOf(normal).read(normal);
    if (content === undefined) throw new GuestFileError(`${path}: No such file or directory`);
    return content;
  }

  /** @throws GuestFileError when the path is bad or the space is full */
  write(path: string, content: Uint8Array, append = false): void {
    const normal = guestPath(path);
    if (normal.endsWith('/') || normal === DISK) throw new GuestFileError(`${path}: Is a directory`);
    const files = this.filesOf(normal);
    const before = append ? files.read(normal) : undefined;
    files.write(normal, before === undefined ? content : Buffer.concat([before, content]));
  }

  /** Text of a file without the newline at its end, or null. */
  text(path: string): string | null {
    const content = this.filesOf(path).read(path);
    return content === undefined ? null : decoder.decode(content).trimEnd();
  }

  /** Writes a line of text. */
  setText(path: string, text: string): void {
    this.write(path, encoder.encode(`${text}\n`));
  }

  get hostname(): string {
    return this.text('/etc/hostname') ?? 'localhost';
  }

  /** Generation ids found in memory and on disk; null where none was written. */
  generations(): { readonly memory: string | null; readonly disk: string | null } {
    return { memory: this.text(MEMORY_GENERATION), disk: this.text(DISK_GENERATION) };
  }

  /** Writes the generation id to memory and disk. */
  setGeneration(generationId: string): void {
    this.setText(MEMORY_GENERATION, generationId);
    this.setText(DISK_GENERATION, generationId);
  }

  /** Starts a process under the lowest free number. */
  spawn(command: readonly string[], kill: (signalNumber: number) => void): GuestProcess {
    let pid = 2;
    while (this.processes.has(pid)) pid += 1;
    const started: GuestProcess = { pid, command, kill };
    this.processes.set(pid, started);
    return started;
  }

  /** An independent guest in the same state; its clock goes on from `timeMs`. */
  cloneAt(timeMs: number, clock: Clock): GuestWorld {
    const copy = new GuestWorld({
      memory: this.memory.clone(),
      disk: this.disk.clone(),
      processes: new Map(this.processes),
      random: this.random.clone(),
    });
    copy.clockOffsetMs = timeMs - clock.wallTimeMs();
    return copy;
  }
}

/** A guest that has just booted from the image, on the disk given or on a blank one; its clock is right. */
export function bootGuest(image: GoldenImage, seed: Uint8Array, disk?: GuestFiles): GuestWorld {
  const world = new GuestWorld({
    memory: new GuestFiles(image.memoryBytes),
    disk: disk?.clone() ?? new GuestFiles(image.boot.diskBytes),
    processes: new Map([[1, { pid: 1, command: ['init'] }]]),
    random: new GuestRandom(seed),
  });
  world.setText('/etc/hostname', 'golden');
  world.setText('/etc/machine-id', '0'.repeat(32));
  return world;
}
