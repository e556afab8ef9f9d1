/**
 * One line of a program: a label, an instruction, a short jump to a label, or an address of data relative to the next line. Those of
 * arm64 are a `word` each: what they lead to is counted from themselves, and lies between their other bits.
 */
export type Line =
  | { readonly label: string }
  | { readonly bytes: string; readonly text: string }
  | { readonly jump: string; readonly to: string; readonly text: string }
  | { readonly bytes: string; readonly address: string; readonly text: string }
  | { readonly word: string; readonly branch?: string; readonly near?: string; readonly text: string }
  | { readonly data: Uint8Array };

const WORD_BYTES = 4;

/**
 * Turns lines into machine code. It knows no instructions: each line carries its own bytes, and only distances to labels
 * are worked out here (one byte for jumps, four for addresses; 19 bits for the conditional branches of arm64, 21 for its addresses).
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
    if ('word' in line)
      code.writeUInt32LE(
        parseWord(line, (label) => distance(label) + WORD_BYTES),
        position,
      );
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
  if ('word' in line) return WORD_BYTES;
  if ('jump' in line) return parseBytes(line.jump).length + 1;
  return parseBytes(line.bytes).length + ('address' in line ? 4 : 0);
}

function parseWord(
  { word, branch, near }: Extract<Line, { readonly word: string }>,
  distance: (label: string) => number,
): number {
  const bits = Buffer.from(parseBytes(word)).readUInt32BE();
  if (branch !== undefined) return withBits(bits, distance(branch) / WORD_BYTES, 19, 5);
  if (near === undefined) return bits;
  const bytes = distance(near);
  return withBits(withBits(bits, bytes >> 2, 19, 5), bytes & 3, 2, 29);
}

/** Puts a number into so many bits of a word, from this one on. */
function withBits(word: number, value: number, count: number, from: number): number {
  const reach = 2 ** (count - 1);
  if (count > 2 && (value < -reach || value >= reach)) throw new RangeError(`${value} is too far for ${count} bits.`);
  return (word | ((value & (2 ** count - 1)) << from)) >>> 0;
}

function parseBytes(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  if (!/^([0-9a-f]{2})+$/.test(digits)) throw new RangeError(`"${text}" is not a row of hexadecimal bytes.`);
  return Buffer.from(digits, 'hex');
}
