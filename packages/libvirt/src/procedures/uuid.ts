const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^[0-9a-f]{32}$/i;

/**
 * The usual text of a UUID: lower case, with hyphens.
 * @throws RangeError when there are not exactly 16 bytes.
 */
export function uuidToString(bytes: Uint8Array): string {
  if (bytes.byteLength !== 16) throw new RangeError(`a UUID of 16 bytes expected, got ${bytes.byteLength}`);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * The 16 bytes of a UUID, from its text with or without hyphens.
 * @throws TypeError when the text is not a UUID.
 */
export function uuidFromString(text: string): Uint8Array {
  if (!shape.test(text)) throw new TypeError(`a UUID expected, got ${JSON.stringify(text)}`);
  const hex = text.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
}
