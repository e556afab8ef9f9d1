import type { Line } from './assembler.ts';
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
const LINES: readonly Line[] = [
  { bytes: '48 83 ec 48', text: 'sub rsp, 72          ; struct rand_pool_info with 64 bytes of seed' },
  { bytes: 'b8 02 00 00 00', text: 'mov eax, 2           ; open' },
  { bytes: '48 8d 3d', address: 'device', text: 'lea rdi, [rip + device]' },
  { bytes: 'be 01 00 00 00', text: 'mov esi, 1           ; O_WRONLY' },
  { bytes: '31 d2', text: 'xor edx, edx' },
  { bytes: '0f 05', text: 'syscall' },
  { bytes: '41 bd 01 00 00 00', text: 'mov r13d, 1          ; exit code so far: no device' },
  { bytes: '85 c0', text: 'test eax, eax' },
  { jump: '78', to: 'end', text: 'js end' },
  { bytes: '89 c3', text: 'mov ebx, eax         ; the device' },
  { bytes: '31 ed', text: 'xor ebp, ebp         ; bytes read so far' },
  { bytes: '41 ff c5', text: 'inc r13d             ; 2: too short' },
  { label: 'more' },
  { bytes: '31 c0', text: 'xor eax, eax         ; read' },
  { bytes: '31 ff', text: 'xor edi, edi         ; standard input' },
  { bytes: '48 8d 74 2c 08', text: 'lea rsi, [rsp + rbp + 8]' },
  { bytes: 'ba 40 00 00 00', text: 'mov edx, 64' },
  { bytes: '29 ea', text: 'sub edx, ebp' },
  { bytes: '0f 05', text: 'syscall' },
  { bytes: '85 c0', text: 'test eax, eax' },
  { jump: '7e', to: 'end', text: 'jle end' },
  { bytes: '01 c5', text: 'add ebp, eax' },
  { bytes: '83 fd 40', text: 'cmp ebp, 64' },
  { jump: '72', to: 'more', text: 'jb more' },
  { bytes: '41 ff c5', text: 'inc r13d             ; 3: not credited' },
  { bytes: 'c7 04 24 00 02 00 00', text: 'mov dword [rsp], 512 ; bits of entropy' },
  { bytes: 'c7 44 24 04 40 00 00 00', text: 'mov dword [rsp + 4], 64 ; bytes' },
  { bytes: 'b8 10 00 00 00', text: 'mov eax, 16          ; ioctl' },
  { bytes: '89 df', text: 'mov edi, ebx' },
  { bytes: 'be 03 52 08 40', text: 'mov esi, 0x40085203  ; RNDADDENTROPY' },
  { bytes: '48 89 e2', text: 'mov rdx, rsp' },
  { bytes: '0f 05', text: 'syscall' },
  { bytes: '85 c0', text: 'test eax, eax' },
  { jump: '75', to: 'end', text: 'jnz end' },
  { bytes: '41 ff c5', text: 'inc r13d             ; 4: not reseeded' },
  { bytes: 'b8 10 00 00 00', text: 'mov eax, 16          ; ioctl' },
  { bytes: '89 df', text: 'mov edi, ebx' },
  { bytes: 'be 07 52 00 00', text: 'mov esi, 0x5207      ; RNDRESEEDCRNG' },
  { bytes: '31 d2', text: 'xor edx, edx' },
  { bytes: '0f 05', text: 'syscall' },
  { bytes: '85 c0', text: 'test eax, eax' },
  { jump: '75', to: 'end', text: 'jnz end' },
  { bytes: '45 31 ed', text: 'xor r13d, r13d       ; 0: done' },
  { label: 'end' },
  { bytes: '31 c0', text: 'xor eax, eax' },
  { bytes: '48 89 e7', text: 'mov rdi, rsp' },
  { bytes: 'b9 48 00 00 00', text: 'mov ecx, 72' },
  { bytes: 'f3 aa', text: 'rep stosb            ; wipes the seed' },
  { bytes: 'b8 3c 00 00 00', text: 'mov eax, 60          ; exit' },
  { bytes: '44 89 ef', text: 'mov edi, r13d' },
  { bytes: '0f 05', text: 'syscall' },
  { label: 'device' },
  { data: Buffer.from('/dev/urandom\0') },
];

/** The reseed program, a few hundred bytes. */
export function reseedProgram(): Uint8Array {
  return staticProgram(LINES);
}
