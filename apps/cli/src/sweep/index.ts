import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import { explain } from '../errors/explain.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import type { SweepOptions } from './command.ts';
import { hostName, hostsToSweep } from './hosts.ts';
import { findLeftovers } from './leftovers.ts';
import { type Swept, sweep } from './sweep.ts';

/** Runs `warmvm sweep` on every host of the settings. Resolves with the exit code: 0, or 1 when something could not be looked at or removed. */
export function runSweep(options: SweepOptions, output: Output): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    const settings = await readSettings(options);
    const pool = options.pool;
    const all: (Swept & { readonly driver: string })[] = [];
    let hasFailed = false;
    for (const choice of await hostsToSweep(settings)) {
      try {
        const found = await findLeftovers(choice, settings, signal, pool);
        let swept: readonly Swept[];
        try {
          swept = await sweep(found, { dryRun: options.dryRun === true, signal });
        } finally {
          await found[Symbol.asyncDispose]();
        }
        all.push(...swept.map((one) => ({ driver: choice.use, ...one })));
        if (options.json !== true) output.write(describe(hostName(choice), pool, swept));
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConfigError) throw error;
        // The other hosts are swept all the same.
        hasFailed = true;
        output.writeError(`${hostName(choice)}: ${explain(error, output)}\n`);
      }
    }
    if (options.json === true)
      output.write(`${JSON.stringify({ schema: 1, pool: pool ?? null, objects: all }, null, 2)}\n`);
    return hasFailed || all.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.ok;
  });
}

const FATES = { alive: 'lives', dead: 'is dead', unknown: 'cannot be judged from here' } as const;

function describe(host: string, pool: string | undefined, swept: readonly Swept[]): string {
  const whose = pool === undefined ? 'any pool' : `pool ${pool}`;
  if (swept.length === 0) return `${host}: nothing carries the mark of ${whose}\n`;
  const lines = swept.map(({ id, kind, state, pool: mark, owner, outcome, error }) => {
    const what = `${kind === 'golden' ? 'golden snapshot' : 'machine'} ${id} (${state}) of pool ${mark}`;
    const why = `its owner, process ${owner.pid}, ${FATES[owner.fate]}`;
    return `${host}: ${outcome}: ${what}; ${why}${error === undefined ? '' : `: ${error}`}\n`;
  });
  return lines.join('');
}
