import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Clock, JoinedJobs, WarmvmError } from '@warmvm/core/driver';

/** Line that a guardian answers with. */
export const GUARDIAN_READY = 'ready';

/** How long a guardian may take to answer: it starts in some 100 ms. */
const ANSWER_TIMEOUT_MS = 10_000;

/** What the guardian's process is told on its command line. */
export interface GuardianOrders {
  readonly uri: string;
  readonly storagePool: string;
  readonly storagePath: string;
}

/** Starts the guardian's process with these orders. Its standard input and output are pipes. */
export type StartGuardian = (orders: GuardianOrders) => ChildProcess;

/**
 * A small process that outlives this one. It reads what it watches over from a pipe; when the pipe closes without a farewell, this
 * process was killed, and it removes from the host all that carries the marks it was told of. Then it ends itself. One that was
 * killed is replaced when it is needed next.
 */
export class Guardian {
  readonly #orders: GuardianOrders;
  readonly #clock: Clock;
  readonly #start: StartGuardian;
  readonly #instances = new Set<string>();
  readonly #telling = new JoinedJobs<void>();
  #child: ChildProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** Nothing is started before there is something to watch over. */
  constructor(orders: GuardianOrders, clock: Clock, start: StartGuardian = startProcess) {
    this.#orders = { uri: orders.uri, storagePool: orders.storagePool, storagePath: orders.storagePath };
    this.#clock = clock;
    this.#start = start;
  }

  /** Resolves when the guardian has taken note of the instance: only then may anything be made in its name. */
  async watchOver(instance: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#instances.has(instance) && this.#alive() !== undefined) return;
    await this.#telling.join(instance, signal, () => this.#inTurn(() => this.#take(instance)));
  }

  /** Nothing is left to watch over: the process ends without doing anything, and this waits for it. */
  async dismiss(): Promise<void> {
    const child = this.#alive();
    if (child === undefined) return;
    child.ref();
    const ended = once(child, 'exit');
    child.stdin?.end('farewell\n');
    await ended;
  }

  /** Lets the guardian do its work now. */
  release(): void {
    this.#child?.stdin?.end();
  }

  /** One question at a time, so that each gets its own answer. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #take(instance: string): Promise<void> {
    let child = this.#alive();
    const told = child === undefined ? [...this.#instances, instance] : [instance];
    child ??= this.#start(this.#orders);
    this.#child = child;
    for (const name of told) await this.#tell(child, name);
    this.#instances.add(instance);
  }

  async #tell(child: ChildProcess, instance: string): Promise<void> {
    const limit = new AbortController();
    const timer = this.#clock.setTimer(() => limit.abort(noAnswer('no answer in time')), ANSWER_TIMEOUT_MS);
    const { signal } = limit;
    try {
      if (child.stdout === null || child.stdin === null) throw noAnswer('no pipe');
      const answer = Promise.race([
        once(child.stdout, 'data', { signal }).then(([data]) => String(data).trim()),
        once(child, 'exit', { signal }).then(() => 'its end'),
      ]);
      child.stdin.write(`${instance}\n`);
      const said = await answer;
      if (said !== GUARDIAN_READY) throw noAnswer(said.slice(0, 80));
    } catch (error) {
      throw signal.aborted ? signal.reason : error instanceof WarmvmError ? error : noAnswer('an error', error);
    } finally {
      timer.cancel();
      limit.abort();
    }
  }

  #alive(): ChildProcess | undefined {
    const child = this.#child;
    const ended =
      child === undefined || child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    return ended ? undefined : child;
  }
}

/** It does not keep this process alive, and a Ctrl-C in the terminal does not reach it. */
function startProcess(orders: GuardianOrders): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(source ? './guardian-main.ts' : './guardian-main.js', import.meta.url));
  const conditions = source ? ['--conditions=@warmvm/source', '--no-warnings'] : [];
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

function noAnswer(said: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `the guardian process did not take note: ${said}`, {
    retryable: true,
    details: { remedy: 'set options.guardian to false to do without it' },
    ...(cause === undefined ? {} : { cause }),
  });
}
