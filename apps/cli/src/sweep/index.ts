import { readSettings } from '../config/settings.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import { DEFAULT_POOL } from '../kept-pool/runtime-folder.ts';
import type { Output } from '../output.ts';
import { withDriver } from '../place/open-source.ts';
import type { SweepOptions } from './command.ts';
import { findLeftovers } from './leftovers.ts';
import { type Swept, sweep } from './sweep.ts';

/** Runs `warmvm sweep` on every host of the settings. Resolves with the exit code: 0, or 1 when something could not be removed. */
export function runSweep(options: SweepOptions, output: Output): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    const settings = await withDriver(await readSettings(options));
    const pool = settings.pool.name ?? DEFAULT_POOL;
    const all: (Swept & { readonly driver: string })[] = [];
    for (const choice of settings.drivers) {
      const found = await findLeftovers(choice, settings, signal);
      try {
        const swept = await sweep(found, { dryRun: options.dryRun === true, signal });
        all.push(...swept.map((one) => ({ driver: choice.use, ...one })));
        if (options.json !== true) output.write(describe(choice.use, pool, swept));
      } finally {
        await found[Symbol.asyncDispose]();
      }
    }
    if (options.json === true) output.write(`${JSON.stringify({ schema: 1, pool, objects: all }, null, 2)}\n`);
    return all.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.ok;
  });
}

const FATES = { alive: 'lives', dead: 'is dead', unknown: 'cannot be judged from here' } as const;

function describe(driver: string, pool: string, swept: readonly Swept[]): string {
  if (swept.length === 0) return `${driver}: nothing carries the mark of pool ${pool}\n`;
  const lines = swept.map(({ id, kind, state, owner, outcome, error }) => {
    const what = `${kind === 'golden' ? 'golden snapshot' : 'machine'} ${id} (${state})`;
    const why = `its owner, process ${owner.pid}, ${FATES[owner.fate]}`;
    return `${driver}: ${outcome}: ${what}; ${why}${error === undefined ? '' : `: ${error}`}\n`;
  });
  return lines.join('');
}
