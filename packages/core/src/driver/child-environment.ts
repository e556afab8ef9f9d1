/**
 * The environment that children of warmvm start with: this process's own, without what is meant for this Node alone. Tracing agents and
 * coverage tools set `NODE_OPTIONS` to load files, by paths that a child in another folder does not have.
 */
export function childEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')));
}
