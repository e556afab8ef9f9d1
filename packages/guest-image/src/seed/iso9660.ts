/** A file in the root folder of an ISO 9660 image. */
export interface IsoFile {
  /** Lower-case letters, digits and hyphens, at most 28. */
  readonly name: string;
  readonly content: Uint8Array;
}

const SECTOR_BYTES = 2048;
/** Sectors; the first 16 are the system's, for boot loaders. */
const PRIMARY = { descriptor: 16, tableLittle: 19, tableBig: 20, root: 23 } as const;
const JOLIET = { descriptor: 17, tableLittle: 21, tableBig: 22, root: 24 } as const;
const TERMINATOR = 18;
const FIRST_FILE = 25;
const PATH_TABLE_BYTES = 10;
const DIRECTORY = 2;
const NAME = /^[a-z0-9-]{1,28}$/;
const LABEL = /^[A-Za-z0-9_-]{1,16}$/;

type Layout = typeof PRIMARY | typeof JOLIET;

/**
 * A small ISO 9660 image with a Joliet tree: some files in its root folder, no more. The same files make the same bytes. Linux,
 * the BSDs and Windows read it; the primary tree's names are what Linux turns into the same ones where it has no Joliet.
 * @throws RangeError for a name or label that the format cannot carry, or more than fits in one folder
 */
export function iso9660(label: string, files: readonly IsoFile[]): Uint8Array {
  if (!LABEL.test(label))
    throw new RangeError(`label is ${JSON.stringify(label)}, expected 1 to 16 letters, digits, "-" and "_"`);
  for (const { name } of files) {
    if (!NAME.test(name))
      throw new RangeError(`name is ${JSON.stringify(name)}, expected lower-case letters, digits and hyphens`);
  }
  const placed = place(files);
  const sectors = FIRST_FILE + placed.reduce((sum, { content }) => sum + sectorsOf(content), 0);
  const image = Buffer.alloc(sectors * SECTOR_BYTES);
  writeDescriptor(image, PRIMARY, label, sectors);
  writeDescriptor(image, JOLIET, label, sectors);
  image.set([255, ...Buffer.from('CD001'), 1], TERMINATOR * SECTOR_BYTES);
  writeFolder(image, PRIMARY, placed);
  writeFolder(image, JOLIET, placed);
  for (const { content, sector } of placed) image.set(content, sector * SECTOR_BYTES);
  return image;
}

interface Placed extends IsoFile {
  readonly sector: number;
}

/** One after the other, in the order of their names, which is that of the folder. */
function place(files: readonly IsoFile[]): readonly Placed[] {
  let sector = FIRST_FILE;
  return [...files]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((file) => {
      const placed = { ...file, sector };
      sector += sectorsOf(file.content);
      return placed;
    });
}

function sectorsOf(content: Uint8Array): number {
  return Math.ceil(content.byteLength / SECTOR_BYTES);
}

/** ECMA-119 8.4 and 8.5; Joliet differs by type, an escape sequence, and names in UCS-2. */
function writeDescriptor(image: Buffer, layout: Layout, label: string, sectors: number): void {
  const joliet = layout === JOLIET;
  const at = image.subarray(layout.descriptor * SECTOR_BYTES);
  at.set([joliet ? 2 : 1, ...Buffer.from('CD001'), 1]);
  // System, volume set, publisher, preparer, application, and three files: blank.
  for (const [offset, length] of [
    [8, 32],
    [190, 623],
  ] as const)
    fillBlank(at.subarray(offset, offset + length), joliet);
  fillBlank(at.subarray(40, 72), joliet);
  at.set(text(label, joliet), 40);
  if (joliet) at.write('%/E', 88, 'latin1');
  both32(at, 80, sectors);
  both16(at, 120, 1);
  both16(at, 124, 1);
  both16(at, 128, SECTOR_BYTES);
  both32(at, 132, PATH_TABLE_BYTES);
  at.writeUInt32LE(layout.tableLittle, 140);
  at.writeUInt32BE(layout.tableBig, 148);
  at.set(record(Buffer.from([0]), layout.root, SECTOR_BYTES, DIRECTORY), 156);
  // Made, changed, ends, begins: not said.
  for (let index = 0; index < 4; index += 1) at.fill('0', 813 + 17 * index, 813 + 17 * index + 16);
  at[881] = 1;
}

/** The path table, which has the root alone, and the root folder. */
function writeFolder(image: Buffer, layout: Layout, files: readonly Placed[]): void {
  const joliet = layout === JOLIET;
  const little = image.subarray(layout.tableLittle * SECTOR_BYTES);
  little[0] = 1;
  little.writeUInt32LE(layout.root, 2);
  little.writeUInt16LE(1, 6);
  const big = image.subarray(layout.tableBig * SECTOR_BYTES);
  big[0] = 1;
  big.writeUInt32BE(layout.root, 2);
  big.writeUInt16BE(1, 6);
  const records = [0, 1].map((name) => record(Buffer.from([name]), layout.root, SECTOR_BYTES, DIRECTORY));
  for (const { name, content, sector } of files) {
    const encoded = joliet ? text(name, true) : text(`${name.toUpperCase()}.;1`, false);
    records.push(record(encoded, sector, content.byteLength, 0));
  }
  const folder = Buffer.concat(records);
  if (folder.byteLength > SECTOR_BYTES)
    throw new RangeError(`${files.length} files, expected as many as fit in one folder`);
  image.set(folder, layout.root * SECTOR_BYTES);
}

/** ECMA-119 9.1. */
function record(name: Buffer, sector: number, bytes: number, flags: number): Buffer {
  const length = 33 + name.byteLength + ((33 + name.byteLength) % 2);
  const result = Buffer.alloc(length);
  result[0] = length;
  both32(result, 2, sector);
  both32(result, 10, bytes);
  // 1 January 2000: always the same, so that the image is too.
  result.set([100, 1, 1, 0, 0, 0, 0], 18);
  result[25] = flags;
  both16(result, 28, 1);
  result[32] = name.byteLength;
  name.copy(result, 33);
  return result;
}

function text(value: string, wide: boolean): Buffer {
  return wide ? Buffer.from(value, 'utf16le').swap16() : Buffer.from(value, 'latin1');
}

function fillBlank(target: Buffer, wide: boolean): void {
  if (wide) target.fill(Buffer.from([0, 0x20]));
  else target.fill(' ');
}

function both16(target: Buffer, offset: number, value: number): void {
  target.writeUInt16LE(value, offset);
  target.writeUInt16BE(value, offset + 2);
}

function both32(target: Buffer, offset: number, value: number): void {
  target.writeUInt32LE(value, offset);
  target.writeUInt32BE(value, offset + 4);
}
