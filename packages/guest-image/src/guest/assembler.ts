/** One line of a program: a label, an instruction, a short jump to a label, or an address of data relative to the next line. */
export type Line =
  | { readonly label: string }
  | { readonly bytes: string; readonly text: string }
  | { readonly jump: string; readonly to: string; readonly text: string }
  | { readonly bytes: string; readonly address: string; readonly text: string }
  | { readonly data: Uint8Array };

/**
 * Turns lines into machine code. It knows no instructions: each line carries its own bytes, and only distances to labels
 * are worked out here (one byte for jumps, four for addresses).
 * @throws RangeError for an unknown label or a jump that is too far
 */
export function assemble(lines: readonly Line[]): Uint8Array {
  const labels = new Map<string, number>();
  let position = 0;
  for (const line of lines) {
    if ('label' in line) labels.set(line.label, position);
    position += sizeOf(line);
  }
  const code = Buffer.alloc(position);
  position = 0;
  for (const line of lines) {
    const end = position + sizeOf(line);
    const distance = (label: string): number => {
      const target = labels.get(label);
      if (target === undefined) throw new RangeError(`The program has no label ${label}.`);
      return target - end;
    };
    if ('data' in line) code.set(line.data, position);
    if ('bytes' in line) code.set(parseBytes(line.bytes), position);
    if ('address' in line) code.writeInt32LE(distance(line.address), end - 4);
    if ('jump' in line) {
      code.set(parseBytes(line.jump), position);
      code.writeInt8(distance(line.to), end - 1);
    }
    position = end;
  }
  return code;
}

function sizeOf(line: Line): number {
  if ('label' in line) return 0;
  if ('data' in line) return line.data.length;
  if ('jump' in line) return parseBytes(line.jump).length + 1;
  return parseBytes(line.bytes).length + ('address' in line ? 4 : 0);
}

function parseBytes(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  if (!/^([0-9a-f]{2})+$/.test(digits)) throw new RangeError(`"${text}" is not a row of hexadecimal bytes.`);
  return Buffer.from(digits, 'hex');
}
