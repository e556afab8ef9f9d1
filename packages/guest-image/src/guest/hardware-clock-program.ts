import type { ArchitectureName, GuestArchitecture } from '../architecture/guest-architecture.ts';
import type { Line } from './assembler.ts';
import { staticProgram } from './static-program.ts';

const LINES: Readonly<Record<ArchitectureName, readonly Line[]>> = {
  x86_64: [
    { bytes: 'b8 3c 00 00 00', text: 'mov eax, 60          ; exit' },
    { bytes: '31 ff', text: 'xor edi, edi         ; 0' },
    { bytes: '0f 05', text: 'syscall' },
  ],
  aarch64: [
    { word: 'd2800ba8', text: 'mov x8, #93          // exit' },
    { word: 'd2800000', text: 'mov x0, #0' },
    { word: 'd4000001', text: 'svc #0' },
  ],
};

/**
 * Stands where the guest agent looks for `hwclock`: it sets the system's clock and then wants it written to the hardware's, and
 * refuses to do either where there is no such program. A machine's hardware clock is emulated and forgotten with it, so writing it
 * buys nothing, while a real `hwclock` makes every fork and reset some 50 ms slower under emulation.
 */
export function hardwareClockProgram(architecture: GuestArchitecture): Uint8Array {
  return staticProgram(LINES[architecture.name], architecture);
}
