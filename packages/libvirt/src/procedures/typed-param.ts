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

/** Typed parameters by name, with plain values; booleans become `boolean`. A repeated name keeps its last value. */
export function typedParams(params: readonly TypedParam[]): Map<string, number | bigint | boolean | string> {
  return new Map(
    params.map(({ field, value: { type, value } }) => [field, type === 'boolean' ? value !== 0 : value] as const),
  );
}
