/** One entry of an initramfs archive. `path` is relative, without a leading slash. */
export type CpioEntry =
  | { readonly kind: 'file'; readonly path: string; readonly data: Uint8Array; readonly executable: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number };

const TRAILER = 'TRAILER!!!';
const FILE_TYPE = 0o100000;
const LINK_TYPE = 0o120000;
const FOLDER_TYPE = 0o040000;
/** Archives end on a block of this size, as every cpio writes them. */
const BLOCK_BYTES = 512;
/** The header's size field has eight hexadecimal digits. */
const MAXIMUM_DATA_BYTES = 0xffff_ffff;

/**
 * Writes a "newc" cpio archive, the format that Linux unpacks as initramfs. The same entries give the same bytes whatever
 * their order: sorted by path, parent folders added, owner 0:0, times 0, inode numbers counted from 1.
 * @throws TypeError for a path that is absolute, has empty, `.` or `..` parts, holds a NUL, or is named twice
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const push = (bytes: Uint8Array): void => {
    chunks.push(bytes);
    size += bytes.length;
    const padding = (4 - (size % 4)) % 4;
    chunks.push(new Uint8Array(padding));
    size += padding;
  };
  let inode = 0;
  for (const entry of complete(entries)) {
    inode += 1;
    const data = contentOf(entry);
    push(header(entry.path, inode, modeOf(entry), entry.kind === 'folder' ? 2 : 1, data.length));
    push(data);
  }
  push(header(TRAILER, 0, 0, 1, 0));
  chunks.push(new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES));
  return Buffer.concat(chunks);
}

function complete(entries: readonly CpioEntry[]): CpioEntry[] {
  const byPath = new Map<string, CpioEntry>();
  for (const entry of entries) {
    checkPath(entry.path);
    if (byPath.has(entry.path)) throw new TypeError(`The archive names ${entry.path} twice; name every path once.`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/');
      const known = byPath.get(parent);
      if (known === undefined) byPath.set(parent, { kind: 'folder', path: parent });
      else if (known.kind !== 'folder') throw new TypeError(`${parent} is not a folder, but ${path} lies below it.`);
    }
  }
  return [...byPath.values()].sort((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}

function checkPath(path: string): void {
  const bad = path.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (bad || path.includes('\0') || path === TRAILER) {
    throw new TypeError(`"${path}" is no path for an archive; expected a relative one without "." and "..".`);
  }
}

function contentOf(entry: CpioEntry): Uint8Array {
  const data = entry.kind === 'file' ? entry.data : Buffer.from(entry.kind === 'link' ? entry.target : '');
  if (data.length > MAXIMUM_DATA_BYTES) {
    throw new RangeError(`${entry.path} has ${data.length} bytes; a cpio archive holds files below 4 GiB.`);
  }
  return data;
}

function modeOf(entry: CpioEntry): number {
  if (entry.kind === 'folder') return FOLDER_TYPE | (entry.mode ?? 0o755);
  if (entry.kind === 'link') return LINK_TYPE | 0o777;
  return FILE_TYPE | (entry.executable ? 0o755 : 0o644);
}

function header(path: string, inode: number, mode: number, links: number, dataBytes: number): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  // Inode, mode, owner, group, links, time, size, device (two), special device (two), name length, checksum.
  const fields = [inode, mode, 0, 0, links, 0, dataBytes, 0, 0, 0, 0, name.length, 0];
  const text = fields.map((value) => value.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([Buffer.from(`070701${text}`, 'latin1'), name]);
}
