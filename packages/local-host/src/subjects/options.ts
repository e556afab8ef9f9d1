/**
 * Checks options that people gave, against the values that each may have.
 * @throws RangeError naming the option, its value and what was expected
 */
export function requireOptions(
  options: Readonly<Record<string, unknown>>,
  allowed: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    const values = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (values === undefined) {
      const known = Object.keys(allowed);
      throw new RangeError(
        `there is no option ${JSON.stringify(name)}; ${known.length === 0 ? 'this driver takes none' : `there are ${known.join(', ')}`}`,
      );
    }
    if (!values.includes(value as string)) {
      throw new RangeError(`option ${name} must be one of ${values.join(', ')}, got ${JSON.stringify(value)}`);
    }
  }
}
