import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { ByteReader } from './byte-reader.ts';

/** What the dynamic loader is asked for by a program or library. */
export interface ElfDynamic {
  /** Names of the shared libraries it needs (DT_NEEDED), in order. */
  readonly needed: readonly string[];
  /** Path of its dynamic loader; absent for libraries and static programs. */
  readonly interpreter?: string;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

interface Section {
  readonly nameOffset: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

const SEGMENT_LOAD = 1;
const SEGMENT_DYNAMIC = 2;
const SEGMENT_INTERPRETER = 3;
const TAG_END = 0;
const TAG_NEEDED = 1;
const TAG_STRINGS = 5;
const TAG_STRINGS_SIZE = 10;
/** Far above what any linker writes; keeps a damaged file from costing time. */
const MAXIMUM_ENTRIES = 4096;

/**
 * Reads what a 64-bit little-endian ELF file of an architecture needs at run time.
 * @throws WARMVM_GOLDEN_INVALID for anything else, naming `what`
 */
export function readElfDynamic(bytes: Uint8Array, what: string, architecture: GuestArchitecture): ElfDynamic {
  const reader = openElf(bytes, what, architecture);
  const segments = readSegments(reader);
  const interpreter = segments.find((segment) => segment.type === SEGMENT_INTERPRETER);
  const dynamic = segments.find((segment) => segment.type === SEGMENT_DYNAMIC);
  return {
    needed: dynamic === undefined ? [] : readNeeded(reader, segments, dynamic),
    ...(interpreter === undefined
      ? {}
      : { interpreter: reader.text(interpreter.offset, interpreter.offset + interpreter.sizeBytes) }),
  };
}

/**
 * Reads the `.modinfo` of a kernel module: `key=value` pairs, the first of each key.
 * @throws WARMVM_GOLDEN_INVALID when the file is no kernel module of the architecture, naming `what`
 */
export function readModuleInfo(
  bytes: Uint8Array,
  what: string,
  architecture: GuestArchitecture,
): ReadonlyMap<string, string> {
  const reader = openElf(bytes, what, architecture);
  const section = findSection(reader, '.modinfo');
  if (section === undefined) throw reader.invalid('no kernel module (it has no .modinfo section)');
  const information = new Map<string, string>();
  for (const line of reader.slice(section.offset, section.sizeBytes).toString('latin1').split('\0')) {
    const separator = line.indexOf('=');
    const key = line.slice(0, separator);
    if (separator > 0 && !information.has(key)) information.set(key, line.slice(separator + 1));
  }
  return information;
}

function openElf(bytes: Uint8Array, what: string, { elfMachine, title }: GuestArchitecture): ByteReader {
  const reader = new ByteReader(bytes, what);
  const isElf = reader.sizeBytes >= 64 && reader.slice(0, 6).equals(Buffer.from('\x7fELF\x02\x01', 'latin1'));
  if (!isElf || reader.unsigned16(18) !== elfMachine) throw reader.invalid(`not a 64-bit ${title} ELF file`);
  return reader;
}

function readSegments(reader: ByteReader): Segment[] {
  const table = reader.unsigned64(32);
  const entryBytes = reader.unsigned16(54);
  return Array.from({ length: checkedCount(reader, reader.unsigned16(56)) }, (_, index) => {
    const start = table + index * entryBytes;
    return {
      type: reader.unsigned32(start),
      offset: reader.unsigned64(start + 8),
      address: reader.unsigned64(start + 16),
      sizeBytes: reader.unsigned64(start + 32),
    };
  });
}

function readNeeded(reader: ByteReader, segments: readonly Segment[], dynamic: Segment): string[] {
  const nameOffsets: number[] = [];
  let stringsAddress: number | undefined;
  let stringsBytes = 0;
  const count = checkedCount(reader, Math.floor(dynamic.sizeBytes / 16));
  for (let index = 0; index < count; index += 1) {
    const tag = reader.unsigned64(dynamic.offset + index * 16);
    const value = reader.unsigned64(dynamic.offset + index * 16 + 8);
    if (tag === TAG_END) break;
    if (tag === TAG_NEEDED) nameOffsets.push(value);
    if (tag === TAG_STRINGS) stringsAddress = value;
    if (tag === TAG_STRINGS_SIZE) stringsBytes = value;
  }
  if (nameOffsets.length === 0) return [];
  const strings = fileOffset(segments, stringsAddress);
  if (strings === undefined) throw reader.invalid('its table of library names lies outside of the file');
  return nameOffsets.map((offset) => reader.text(strings + offset, strings + stringsBytes));
}

function fileOffset(segments: readonly Segment[], address: number | undefined): number | undefined {
  if (address === undefined) return undefined;
  const holder = segments.find(
    (segment) =>
      segment.type === SEGMENT_LOAD && address >= segment.address && address < segment.address + segment.sizeBytes,
  );
  return holder === undefined ? undefined : address - holder.address + holder.offset;
}

function findSection(reader: ByteReader, name: string): Section | undefined {
  const table = reader.unsigned64(40);
  const entryBytes = reader.unsigned16(58);
  const sections = Array.from({ length: checkedCount(reader, reader.unsigned16(60)) }, (_, index) => {
    const start = table + index * entryBytes;
    return {
      nameOffset: reader.unsigned32(start),
      offset: reader.unsigned64(start + 24),
      sizeBytes: reader.unsigned64(start + 32),
    };
  });
  const names = sections[reader.unsigned16(62)];
  if (names === undefined) return undefined;
  const end = names.offset + names.sizeBytes;
  return sections.find((section) => reader.text(names.offset + section.nameOffset, end) === name);
}

function checkedCount(reader: ByteReader, count: number): number {
  if (count > MAXIMUM_ENTRIES) throw reader.invalid(`damaged (a table of ${count} entries)`);
  return count;
}
