import { acquireSuite } from './acquire/suite.ts';
import { bootSuite } from './boot/suite.ts';
import { cycleSuite } from './cycle/suite.ts';
import { densitySuite } from './density/suite.ts';
import { detectSuite } from './detect/suite.ts';
import { type BenchHost, isSimulated } from './host/bench-host.ts';
import { initSuite } from './init/suite.ts';
import { listSuite } from './list/suite.ts';
import { poolEngineSuite } from './pool-engine/suite.ts';
import { resetSuite } from './reset/suite.ts';
import { rpcSshSuite } from './rpc/ssh-suite.ts';
import { rpcSuite } from './rpc/suite.ts';
import { runSuite } from './run-command/suite.ts';
import { streamSuite } from './stream/suite.ts';
import type { Suite } from './suite.ts';

/** Every suite, in the order in which they run: from microseconds to minutes. */
export const SUITES: readonly Suite[] = [
  acquireSuite,
  poolEngineSuite,
  rpcSuite,
  rpcSshSuite,
  listSuite,
  streamSuite,
  runSuite,
  bootSuite,
  resetSuite,
  detectSuite,
  densitySuite,
  cycleSuite,
  initSuite,
];

/** @throws RangeError for a name that no suite has */
export function suitesNamed(names: readonly string[]): readonly Suite[] {
  for (const name of names) {
    if (SUITES.some((suite) => suite.name === name)) continue;
    throw new RangeError(`no suite '${name}'; there is ${SUITES.map((suite) => suite.name).join(', ')}`);
  }
  return names.length === 0 ? SUITES : SUITES.filter((suite) => names.includes(suite.name));
}

/** Why a suite does not run on a host; null when it does. @param isNamed whether it was asked for by name */
export function obstacleTo(suite: Suite, host: BenchHost, isNamed: boolean): string | null {
  if ('driver' in suite) {
    return host.driverName === 'fake' ? (suite.obstacle?.() ?? null) : 'it needs no host: it runs with --driver fake';
  }
  if (isSimulated(host) && !suite.simulated && !isNamed) return 'its figures mean little where machines are simulated';
  const missing = suite.needs.filter((need) => host[need] === undefined);
  return missing.length === 0 ? null : `the host of this driver has no ${missing.join(', ')}`;
}
