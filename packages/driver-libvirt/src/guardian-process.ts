import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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

/** Starts the guardian's process with these orders. Its standard input and output are pipes. */
export type StartGuardian = (orders: GuardianOrders) => ChildProcess;

/**
 * It does not keep this process alive, and a Ctrl-C in the terminal does not reach it.
 * @param module the program; the one for local sockets where it is left out
 */
export function startGuardianProcess(orders: GuardianOrders, module: URL = ownModule()): ChildProcess {
  const program = fileURLToPath(module);
  const conditions = program.endsWith('.ts') ? ['--conditions=@warmvm/source', '--no-warnings'] : [];
  const child = spawn(process.execPath, [...conditions, program, JSON.stringify(orders)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: '/',
  });
  child.unref();
  // Its death is noticed by the next one who writes to it; no error event may take this process down.
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}

function ownModule(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './guardian-main.ts' : './guardian-main.js', import.meta.url);
}
