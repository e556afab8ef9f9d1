import type { Contender } from './contender.ts';
import { PEERS } from './peer-contenders.ts';
import { warmvmContender } from './warmvm-contender.ts';

/** Every pool that is compared: that of this project first. */
export const CONTENDERS: readonly Contender[] = [warmvmContender, ...PEERS];

/** @throws RangeError for a name that no contender has */
export function contenderOf(name: string): Contender {
  const found = CONTENDERS.find((contender) => contender.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`no contender '${name}'; there is ${CONTENDERS.map((contender) => contender.name).join(', ')}`);
}
