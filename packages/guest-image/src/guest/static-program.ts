import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { assemble, type Line } from './assembler.ts';

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const LOAD_ADDRESS = 0x40_0000;

/** A static ELF file of these lines: one read-and-execute segment, entered at its first instruction. */
export function staticProgram(lines: readonly Line[], { elfMachine }: GuestArchitecture): Uint8Array {
  const code = assemble(lines);
  const codeOffset = ELF_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
  const header = Buffer.alloc(codeOffset);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(elfMachine, 18);
  header.writeUInt32LE(1, 20); // EV_CURRENT
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + codeOffset), 24); // entry
  header.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32); // program headers
  header.writeUInt16LE(ELF_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(2, 56); // number of program headers
  header.writeUInt16LE(64, 58); // size of a section header, of which there are none
  const size = BigInt(codeOffset + code.length);
  programHeader(header, ELF_HEADER_BYTES, {
    type: 1,
    flags: 5,
    address: BigInt(LOAD_ADDRESS),
    size,
    // The largest page that a kernel of either architecture may have.
    alignment: 0x1_0000n,
  });
  // PT_GNU_STACK without the execute flag: nothing that is read can ever run.
  const stack = { type: 0x6474_e551, flags: 6, address: 0n, size: 0n, alignment: 16n };
  programHeader(header, ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES, stack);
  return Buffer.concat([header, code]);
}

interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly size: bigint;
  readonly alignment: bigint;
}

function programHeader(target: Buffer, start: number, { type, flags, address, size, alignment }: ProgramHeader): void {
  target.writeUInt32LE(type, start);
  target.writeUInt32LE(flags, start + 4);
  target.writeBigUInt64LE(address, start + 16);
  target.writeBigUInt64LE(address, start + 24);
  target.writeBigUInt64LE(size, start + 32);
  target.writeBigUInt64LE(size, start + 40);
  target.writeBigUInt64LE(alignment, start + 48);
}
