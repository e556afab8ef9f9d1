import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import { asStatus } from '../kept-pool/protocol/reply-check.ts';
import type { Output } from '../output.ts';
import type { PoolTalkOptions } from './command.ts';
import { talkToPool } from './pool-talk.ts';
import { statusText } from './status-text.ts';

/** Runs `warmvm pool status`. Resolves with the exit code. */
export function runPoolStatus({ pool, json }: PoolTalkOptions, output: Output): Promise<number> {
  return runInterruptibly(output, (signal) =>
    talkToPool(pool, signal, async (connection) => {
      const status = asStatus(await connection.call({ type: 'status' }, { signal }));
      output.write(json === true ? `${JSON.stringify(status)}\n` : statusText(status));
      return EXIT.ok;
    }),
  );
}
