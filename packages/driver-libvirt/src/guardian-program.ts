import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { childEnvironment, isWarmvmError, systemClock } from '@warmvm/core/driver';
import type { Dial } from '@warmvm/libvirt';
import { GUARDIAN_READY, type GuardianOrders, type GuardianRefusal } from './guardian-process.ts';
import { sweepThoroughly } from './sweep.ts';

/** How a guardian of its own reaches the host. */
export interface GuardianWay {
  readonly dial: Dial;
  /** Bound for one connection, dialling included. @default 10000 */
  readonly connectTimeoutMs?: number;
}

/** What fits into one write to a pipe, whatever it is made of. */
const LONGEST_MESSAGE_CHARS = 500;

/**
 * The whole life of a guardian's process: takes note of instances, and removes what carries their marks when the pipe from its parent closes
 * without a farewell. Ends the process.
 * @param openWay makes of `way` of the {@link GuardianProgram} how the host is reached; it is reached once before anything is taken note of
 */
export async function runGuardian(openWay?: (way: unknown) => GuardianWay): Promise<never> {
  const orders = JSON.parse(process.argv[2] ?? '{}') as GuardianOrders;
  const way = openWay?.(orders.way);
  const instances = new Set<string>();
  let isProved = way === undefined;
  const take = async (instance: string): Promise<void> => {
    try {
      // What is not read is never closed.
      if (!isProved) (await way!.dial({})).resume().destroy();
      isProved = true;
      instances.add(instance);
      process.stdout.write(`${GUARDIAN_READY}\n`);
    } catch (error) {
      process.stdout.write(`${JSON.stringify(refusalOf(error))}\n`);
    }
  };
  // The other ends go with the process that it watches over.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  let turn = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    // Whoever says so has removed everything, and waits for nothing that is still being tried here.
    if (line === 'farewell') process.exit(0);
    turn = turn.then(() => take(line));
  });
  await once(lines, 'close');
  await turn;
  if (instances.size > 0) await clean(orders, way, instances);
  process.exit(0);
}

async function clean(
  { uri, storagePool, storagePath, giveUpMs }: GuardianOrders,
  way: GuardianWay | undefined,
  instances: ReadonlySet<string>,
): Promise<void> {
  const host = { uri, storagePool, storagePath, ...way };
  const failure = await sweepThoroughly({ ...host, clock: systemClock, giveUpMs }, instances);
  if (failure === undefined) return;
  const why = failure instanceof Error ? failure.message : String(failure);
  await tellSystemLog(
    `the process that owned ${[...instances].join(', ')} was killed, and its machines could not be removed: ${why}; ` +
      '"warmvm sweep" removes them, or the next start of a pool of the same name',
  );
}

function refusalOf(error: unknown): GuardianRefusal {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_MESSAGE_CHARS);
  if (!isWarmvmError(error)) return { code: 'WARMVM_HOST_UNREACHABLE', message, retryable: true };
  const { code, retryable, details } = error;
  return { code, message, retryable, problem: details.problem };
}

/** Nobody is left who could be told but those who look after this computer. Where there is no log nothing happens. */
async function tellSystemLog(text: string): Promise<void> {
  const child = spawn('logger', ['-t', 'warmvm', '-p', 'user.warning', text], {
    env: childEnvironment(),
    stdio: 'ignore',
  });
  await once(child, 'exit').catch(() => {});
}
