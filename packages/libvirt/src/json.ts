import { uuidToString } from './procedures/uuid.ts';

/** A value that `JSON.stringify` takes. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Makes results and events of this package safe for JSON: 64-bit integers become decimal text whatever their size, UUIDs (16 bytes
 * in a field `uuid`) their usual text, other bytes base64, maps objects. Fields without a value are left out.
 */
export function toJson(value: unknown, field = ''): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    return field === 'uuid' && value.byteLength === 16 ? uuidToString(value) : Buffer.from(value).toString('base64');
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, field));
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.filter(([, item]) => item !== undefined).map(([name, item]) => [name, toJson(item, name)]),
  );
}
