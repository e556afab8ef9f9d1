/** A file that is commonly taken for a disk image. */
export interface ForeignFormat {
  readonly what: string;
  readonly advice: string;
}

const CONVERT = 'convert it with `qemu-img convert -O qcow2 <it> <new file>`';
const UNPACK = 'unpack it first';

/** What such files start with; at `offset` bytes. */
const SIGNS: readonly (ForeignFormat & { readonly sign: Buffer; readonly offset?: number })[] = [
  { sign: Buffer.from('KDMV'), what: 'a VMDK image', advice: CONVERT },
  { sign: Buffer.from('vhdxfile'), what: 'a VHDX image', advice: CONVERT },
  { sign: Buffer.from('conectix'), what: 'a VHD image', advice: CONVERT },
  { sign: Buffer.from('7f10dabe', 'hex'), offset: 64, what: 'a VDI image', advice: CONVERT },
  { sign: Buffer.from('QED\0'), what: 'a QED image', advice: CONVERT },
  { sign: Buffer.from('1f8b', 'hex'), what: 'a gzip archive', advice: UNPACK },
  { sign: Buffer.from('fd377a585a00', 'hex'), what: 'an xz archive', advice: UNPACK },
  { sign: Buffer.from('28b52ffd', 'hex'), what: 'a zstd archive', advice: UNPACK },
  { sign: Buffer.from('BZh'), what: 'a bzip2 archive', advice: UNPACK },
  { sign: Buffer.from('PK\u0003\u0004'), what: 'a zip archive', advice: UNPACK },
  { sign: Buffer.from('\u007fELF'), what: 'a program', advice: 'name the disk image' },
  { sign: Buffer.from('<'), what: 'a web page', advice: 'download it again' },
];

/** What the first bytes of a file show it to be, where that is surely no raw disk. */
export function foreignFormatOf(start: Buffer): ForeignFormat | undefined {
  return SIGNS.find(({ sign, offset = 0 }) => start.subarray(offset, offset + sign.length).equals(sign));
}
