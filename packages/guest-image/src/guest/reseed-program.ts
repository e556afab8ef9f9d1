import type { ArchitectureName, GuestArchitecture } from '../architecture/guest-architecture.ts';
import type { Line } from './assembler.ts';
import { RESEED_AARCH64 } from './reseed-aarch64.ts';
import { RESEED_X86_64 } from './reseed-x86-64.ts';
import { staticProgram } from './static-program.ts';

/**
 * Exit codes of the reseed program. `short` also stands for standard input that cannot be read.
 * Any other than `done` means that the kernel draws from the old generator.
 */
export const RESEED_EXIT: Readonly<Record<'done' | 'noDevice' | 'short' | 'notCredited' | 'notReseeded', number>> = {
  done: 0,
  noDevice: 1,
  short: 2,
  notCredited: 3,
  notReseeded: 4,
};

/*
 * What it does, in C:
 *   int fd = open("/dev/urandom", O_WRONLY);                  fd < 0: exit 1
 *   struct { int bits; int bytes; char seed[64]; } pool;      on the stack
 *   read(0, pool.seed, 64) until all are there                end or error: exit 2
 *   pool.bits = 512, pool.bytes = 64;
 *   ioctl(fd, RNDADDENTROPY, &pool)                           not 0: exit 3
 *   ioctl(fd, RNDRESEEDCRNG, 0)                               not 0: exit 4
 *   the seed is wiped before every exit
 * The numbers are from Linux' uapi headers: RNDADDENTROPY is _IOW('R', 3, int[2]), RNDRESEEDCRNG is _IO('R', 7).
 */
const LINES: Readonly<Record<ArchitectureName, readonly Line[]>> = {
  x86_64: RESEED_X86_64,
  aarch64: RESEED_AARCH64,
};

/** The reseed program, a few hundred bytes. */
export function reseedProgram(architecture: GuestArchitecture): Uint8Array {
  return staticProgram(LINES[architecture.name], architecture);
}
