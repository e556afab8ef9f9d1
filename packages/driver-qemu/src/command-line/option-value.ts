/**
 * A value for QEMU's `name=value,name=value` options, in which a comma ends the value and a doubled comma is one.
 * @throws RangeError for what no escape exists: NUL and line breaks
 */
export function optionValue(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for.
  if (/[\0-\x1f\x7f]/.test(value)) {
    throw new RangeError(`${name} is ${JSON.stringify(value)}, expected text without control characters`);
  }
  return value.replaceAll(',', ',,');
}

/** `-option first,name=value,...` from the pairs, in their order. */
export function optionList(first: string, pairs: readonly (readonly [name: string, value: string | number])[]): string {
  return [first, ...pairs.map(([name, value]) => `${name}=${optionValue(name, String(value))}`)].join(',');
}
