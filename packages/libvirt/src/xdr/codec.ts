import type { XdrReader } from './reader.ts';
import type { XdrWriter } from './writer.ts';

/** How one type travels in XDR (RFC 4506); values of this interface are combined into larger ones. */
export interface Codec<Value> {
  /** The fewest bytes any value takes; lets an announced count be checked before anything is allocated. */
  readonly minimumBytes: number;
  /**
   * Appends a value.
   * @throws TypeError or RangeError when the value is not one of this type.
   */
  encode(writer: XdrWriter, value: Value): void;
  /**
   * Takes the next value.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when the bytes are not a value of this type or break one of its limits.
   */
  decode(reader: XdrReader): Value;
}

/** The TypeScript type of a codec's values. */
export type Infer<Type> = Type extends Codec<infer Value> ? Value : never;
