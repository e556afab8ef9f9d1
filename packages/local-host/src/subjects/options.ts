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

/** Longest that drivers take for each of their time limits. */
const MOST_MS = {
  clockToleranceMs: 60_000,
  agentTimeoutMs: 600_000,
  bootTimeoutMs: 3_600_000,
  startTimeoutMs: 600_000,
} as const;

/** Time limits of a driver, each stretched by the factor as far as the driver takes it. */
export function stretched<Name extends keyof typeof MOST_MS>(
  limits: Readonly<Record<Name, number>>,
  factor: number,
): Record<Name, number> {
  const entries = Object.entries<number>(limits).map(([name, ms]) => [
    name,
    Math.min(MOST_MS[name as Name], Math.max(1, Math.round(ms * factor))),
  ]);
  return Object.fromEntries(entries);
}
