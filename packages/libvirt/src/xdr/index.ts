export { bytes, opaque, string } from './bytes.ts';
export type { Codec, Infer } from './codec.ts';
export { array, chars, fixed, optional, struct, union } from './composites.ts';
export { XdrReader } from './reader.ts';
export { f64, i8, i32, i64, u8, u16, u32, u64 } from './scalars.ts';
export { XdrWriter } from './writer.ts';
