import { invalidGolden } from '../invalid.ts';

/** How the table of names begins: they are sorted, and these come first. */
const FIRST_NAMES = '[\0[[\0';
/** What the image's own scripts cannot do without. */
const REQUIRED: readonly string[] = ['insmod', 'ip', 'mke2fs', 'mount', 'poweroff', 'sh', 'sync', 'umount', 'usleep'];

/**
 * The programs that a busybox stands in for, read from its file, so that one for another processor can be asked too.
 * @throws WARMVM_GOLDEN_INVALID when it holds no table of them, or lacks what the image needs
 */
export function appletNames(busybox: Uint8Array): readonly string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength);
  const names: string[] = [];
  let position = bytes.indexOf(FIRST_NAMES, 0, 'latin1');
  while (position !== -1) {
    const end = bytes.indexOf(0, position);
    const name = bytes.toString('latin1', position, end);
    // The table ends where names are no names any more, or not in order.
    if (end === -1 || !/^[A-Za-z0-9._[+-]+$/.test(name) || name <= (names.at(-1) ?? '')) break;
    names.push(name);
    position = end + 1;
  }
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length === 0) return names;
  throw invalidGolden(`busybox has no ${missing.join(', ')} in its table of programs.`, { missing });
}
