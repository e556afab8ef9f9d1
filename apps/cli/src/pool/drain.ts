import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import { LONGEST_MS } from '../kept-pool/protocol/limits.ts';
import { asDrain } from '../kept-pool/protocol/reply-check.ts';
import type { Output } from '../output.ts';
import type { PoolDrainOptions } from './command.ts';
import { drainText } from './drain-text.ts';
import { talkToPool } from './pool-talk.ts';

/** Runs `warmvm pool drain`. Resolves with the exit code: 0, or 1 when something was taken back or left behind. */
export function runPoolDrain({ pool, grace, json }: PoolDrainOptions, output: Output): Promise<number> {
  const words = 'no longer waiting; the pool goes on draining (Ctrl-C again: leave at once)';
  return runInterruptibly(
    output,
    (signal) =>
      talkToPool(pool, signal, async (connection) => {
        const answer = await connection.call({ type: 'drain', graceMs: grace ?? LONGEST_MS }, { signal });
        const facts = asDrain(answer);
        const name = connection.welcome.pool;
        output.write(
          json === true ? `${JSON.stringify({ schema: 1, pool: name, ...facts })}\n` : drainText(name, facts),
        );
        return facts.revoked + facts.undestroyed === 0 ? EXIT.ok : EXIT.failed;
      }),
    { words },
  );
}
