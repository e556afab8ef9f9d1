import { acquireSuite } from './acquire/suite.ts';
import { initSuite } from './init/suite.ts';
import { listSuite } from './list/suite.ts';
import { poolEngineSuite } from './pool-engine/suite.ts';
import { resetSuite } from './reset/suite.ts';
import { rpcSuite } from './rpc/suite.ts';
import type { Suite } from './suite.ts';

/** Every suite, in the order in which they run. */
export const SUITES: readonly Suite[] = [acquireSuite, poolEngineSuite, rpcSuite, listSuite, resetSuite, initSuite];

/**
 * The suites that were asked for: all of the driver when none is named, all there are when no driver is named either.
 * @throws RangeError for a name that no suite has, or that has no suite of that driver
 */
export function chooseSuites(names: readonly string[], driver: Suite['driver'] | undefined): readonly Suite[] {
  const possible = SUITES.filter((suite) => driver === undefined || suite.driver === driver);
  for (const name of names) {
    if (possible.some((suite) => suite.name === name)) continue;
    const expected = possible.map((suite) => suite.name).join(', ');
    throw new RangeError(
      `no suite '${name}'${driver === undefined ? '' : ` of driver ${driver}`}; there is ${expected}`,
    );
  }
  return names.length === 0 ? possible : possible.filter((suite) => names.includes(suite.name));
}
