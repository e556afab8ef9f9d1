import { type Codec, struct } from '../xdr/index.ts';
import { codecOf, type Fields, payloadCodec } from './notation.ts';

/** What a call sends for arguments that were left out and mean the same in every call. */
const plain: Readonly<Record<string, unknown>> = {
  flags: 0,
  needResults: 1,
  needMap: 1,
  needOnline: 1,
  /** Connection-wide statistics: every domain, every group. */
  doms: [],
  stats: 0,
  /** All cells, all processors. */
  cellNum: -1,
  cpuNum: -1,
  startCell: 0,
  startCpu: -1,
  ncpus: 1,
  /** All file systems. */
  mountpoints: [],
  minimum: 0n,
  /** From the beginning, all of it. */
  offset: 0n,
  length: 0n,
  screen: 0,
  /** Not limited. */
  bandwidth: 0n,
  duration: 0n,
  /** Of migrations, where a peer sent nothing yet. */
  cookieIn: new Uint8Array(0),
  /** Room for processors in `domainGetVcpus` and the pinning calls: virtual ones, and bytes of eight host processors each. */
  maxinfo: 1024,
  ncpumaps: 1024,
  maplen: 256,
};

/** Arguments that say how many results there is room for: as many as the protocol allows. */
const limits = ['maxnames', 'maxids', 'maxuuids', 'maxerrors', 'maxcells', 'maxStats', 'nparams'] as const;

/** Names of arguments that may be left out. */
export type DefaultedName =
  | (typeof limits)[number]
  | 'flags'
  | 'needResults'
  | 'needMap'
  | 'needOnline'
  | 'doms'
  | 'stats'
  | 'cellNum'
  | 'cpuNum'
  | 'startCell'
  | 'startCpu'
  | 'ncpus'
  | 'mountpoints'
  | 'minimum'
  | 'offset'
  | 'length'
  | 'screen'
  | 'bandwidth'
  | 'duration'
  | 'cookieIn'
  | 'maxinfo'
  | 'ncpumaps'
  | 'maplen';

/** Getters that leave out parameters that are text unless `TypedParameterFlags.OKAY` is set. */
const withStrings: ReadonlySet<string> = new Set([
  'domainGetMemoryParameters',
  'domainGetBlkioParameters',
  'domainGetBlockIoTune',
  'domainGetInterfaceParameters',
  'domainGetSchedulerParametersFlags',
  'domainGetNumaParameters',
  'domainBlockStatsFlags',
  'domainGetCpuStats',
  'nodeGetMemoryParameters',
  'nodeGetSevInfo',
]);

/** Parameters of one processor, of which `domainGetCpuStats` may return many. */
const cpuStatsParameters = 16;

/** The value of an argument that was left out; undefined when it must be given. */
export function defaultOf(
  name: string,
  fields: { readonly args: Fields; readonly ret: Fields },
  field: string,
): unknown {
  const notation = fields.args[field];
  if (field === 'flags') {
    const flags = withStrings.has(name) ? 4 : 0;
    return notation === 'u64' ? BigInt(flags) : flags;
  }
  if (!(limits as readonly string[]).includes(field)) return Object.hasOwn(plain, field) ? plain[field] : undefined;
  if (name === 'domainGetCpuStats') return cpuStatsParameters;
  const results = Object.values(fields.ret).find((result) => /\[\d+\]$/.test(result));
  return results === undefined ? undefined : Number(/\[(\d+)\]$/.exec(results)?.[1]);
}

/** The codec of the arguments of a call, which fills in what was left out. */
export function argumentsCodec(
  name: string,
  fields: { readonly args: Fields; readonly ret: Fields },
): Codec<Readonly<Record<string, unknown>>> {
  const entries = Object.entries(fields.args).map(([field, notation]) => {
    const codec = codecOf(notation);
    const missing = defaultOf(name, fields, field);
    const isStringFlag = field === 'flags' && withStrings.has(name);
    const encode: typeof codec.encode = (writer, value) => {
      if (value === undefined && missing !== undefined) codec.encode(writer, missing);
      else codec.encode(writer, isStringFlag && typeof value === 'number' ? (value | 4) >>> 0 : value);
    };
    return [field, missing === undefined ? codec : { ...codec, encode }] as const;
  });
  return entries.length === 0 ? payloadCodec({}) : struct(Object.fromEntries(entries));
}
