/** Where `bin/warmvm.js` says which signals this process was started to ignore: Node itself sets them back to their default before it runs anything. */
const VARIABLE = 'WARMVM_IGNORED_SIGNALS';

let ignored: ReadonlySet<string> = new Set();

/** Signals that stay ignored, as `nohup` and the background jobs of shells ask for: `SIGHUP`, `SIGINT`, `SIGTERM`. */
export function ignoredSignals(): ReadonlySet<string> {
  return ignored;
}

/** Ignores again what this process was started to ignore, for as long as it lives. What it starts itself is not told. */
export function keepIgnoring(environment: NodeJS.ProcessEnv = process.env): void {
  const names = environment[VARIABLE] ?? '';
  delete environment[VARIABLE];
  ignored = new Set(names.split(' ').flatMap((name) => (/^(HUP|INT|TERM)$/.test(name) ? [`SIG${name}`] : [])));
  for (const signal of ignored) process.on(signal, () => {});
}
