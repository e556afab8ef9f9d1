import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { childEnvironment, WarmvmError } from '@warmvm/core/driver';

/** Line that a guardian answers with when it has taken note. */
export const GUARDIAN_READY = 'ready';

/** What a guardian answers instead, as JSON: it does not reach the host by itself. */
export interface GuardianRefusal {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly problem?: unknown;
}

/** What the guardian's process is told on its command line, which others on this computer can read. */
export interface GuardianOrders {
  readonly uri: string;
  readonly storagePool: string;
  readonly storagePath: string;
  /** How long a host that does not answer is tried. */
  readonly giveUpMs: number;
  /** For a program of its own: how the host is reached. */
  readonly way?: unknown;
}

/** Starts the guardian's process with these orders. Its standard input, output and error are pipes. */
export type StartGuardian = (orders: GuardianOrders) => ChildProcess;

/** What a program without the guardian's file can do. */
const WAY_OUT =
  'Keep the package external to the bundle; or bundle a second file that calls runGuardian of the package, and name it as options.guardian ' +
  '(a URL); or set options.guardian to false: then the machines of a process that was killed stay until "warmvm sweep"';

/**
 * It does not keep this process alive, and a Ctrl-C in the terminal does not reach it.
 * @param module the program; the one for local sockets where it is left out
 * @throws WARMVM_NOT_SUPPORTED where this program was packed so that it has no such file, or no Node to run it
 */
export function startGuardianProcess(orders: GuardianOrders, module: URL = ownModule()): ChildProcess {
  const program = fileURLToPath(module);
  if (isSingleExecutable()) {
    throw cannotStart('this program is a single executable, and no Node can run the guardian process', program);
  }
  if (!existsSync(program)) throw cannotStart(`the guardian's program ${program} does not exist`, program);
  const conditions = program.endsWith('.ts') ? ['--conditions=@warmvm/source', '--no-warnings'] : [];
  const child = spawn(process.execPath, [...conditions, program, JSON.stringify(orders)], {
    detached: true,
    env: childEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
  });
  child.unref();
  // Its death is noticed by the next one who writes to it; no error event may take this process down.
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  for (const pipe of child.stdio) (pipe as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}

/**
 * Where the guardian's program of a package lies: beside the module that asks, or in the installed package where that module was bundled.
 * @param moduleUrl `import.meta.url`, which bundles of CommonJS do not have
 */
export function guardianModule(moduleUrl: string | undefined, packageName: string): URL {
  const from = moduleUrl ?? pathToFileURL(process.argv[1] ?? join(process.cwd(), 'program.js')).href;
  const beside = new URL(from.endsWith('.ts') ? './guardian-main.ts' : './guardian-main.js', from);
  if (existsSync(beside)) return beside;
  try {
    const manifest = createRequire(from).resolve(`${packageName}/package.json`);
    return new URL('./dist/guardian-main.js', pathToFileURL(manifest));
  } catch {
    return beside;
  }
}

function ownModule(): URL {
  return guardianModule(import.meta.url, '@warmvm/driver-libvirt');
}

function isSingleExecutable(): boolean {
  return process.getBuiltinModule('node:sea')?.isSea() === true;
}

function cannotStart(why: string, program: string): WarmvmError {
  return new WarmvmError('WARMVM_NOT_SUPPORTED', `The guardian process cannot start: ${why}. ${WAY_OUT}.`, {
    details: { program, remedy: WAY_OUT },
  });
}
