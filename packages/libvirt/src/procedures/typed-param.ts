import { type Codec, f64, i32, i64, string, struct, u32, u64, union } from '../xdr/index.ts';

/** The value of a {@link TypedParam}; booleans are 0 or 1. */
export type TypedParamValue =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'uint'; readonly value: number }
  | { readonly type: 'llong'; readonly value: bigint }
  | { readonly type: 'ullong'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/** A named value that carries its type: statistics, tunables, job data. */
export interface TypedParam {
  /** Such as `cpu.time`. */
  readonly field: string;
  readonly value: TypedParamValue;
}

/** Codec of {@link TypedParam}. */
export const param: Codec<TypedParam> = struct({
  field: string(),
  value: union({
    int: [1, i32],
    uint: [2, u32],
    llong: [3, i64],
    ullong: [4, u64],
    double: [5, f64],
    boolean: [6, i32],
    string: [7, string()],
  }),
});

/** A value of a typed parameter without its type: 64-bit integers are bigint, booleans `boolean`. */
export type TypedParamPlain = number | bigint | boolean | string;

/** Typed parameters by name, with plain values; booleans become `boolean`. A repeated name keeps its last value. */
export function typedParams(params: readonly TypedParam[]): Map<string, TypedParamPlain> {
  return new Map(
    params.map(({ field, value: { type, value } }) => [field, type === 'boolean' ? value !== 0 : value] as const),
  );
}

/** The field `params` of a reply by name: typed parameters, or statistics of the host. */
export function plainParameters(reply: object): Map<string, TypedParamPlain> {
  const { params } = reply as { readonly params: readonly { field: string; value: bigint | TypedParamValue }[] };
  const entries = params.map(({ field, value }): readonly [string, TypedParamPlain] => {
    if (typeof value === 'bigint') return [field, value];
    return [field, value.type === 'boolean' ? value.value !== 0 : value.value];
  });
  return new Map(entries);
}
