import type { ArgsOf, ProcedureName } from '../procedures/index.ts';

type Payload = Readonly<Record<string, unknown>>;

/** A call that has to be made before another one can be, and what its reply makes of the arguments. */
export interface FirstCall {
  readonly name: ProcedureName;
  readonly args: Payload;
  readonly complete: (reply: Payload) => Payload;
}

/** `VIR_DRV_FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER`. */
const networkUpdateOrder = 16;

/**
 * Two sorts of calls need another one first: the daemon returns statistics of the host only to those who know how many there are,
 * and daemons before libvirt 7.2 read two arguments of `networkUpdate` in the wrong order.
 */
export function firstCallOf(name: ProcedureName, args: Payload): FirstCall | undefined {
  if ((name === 'nodeGetCpuStats' || name === 'nodeGetMemoryStats') && args.nparams === undefined) {
    return { name, args: { ...args, nparams: 0 }, complete: ({ nparams }) => ({ ...args, nparams }) };
  }
  if (name !== 'networkUpdate') return undefined;
  const { command, section } = args as ArgsOf<'networkUpdate'>;
  return {
    name: 'connectSupportsFeature',
    args: { feature: networkUpdateOrder },
    complete: ({ supported }) => (supported === 1 ? args : { ...args, command: section, section: command }),
  };
}
