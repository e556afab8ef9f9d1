import { createHash } from 'node:crypto';
import { type IsoFile, iso9660 } from './iso9660.ts';

/** A value that JSON can carry, and so YAML. */
export type SeedValue = string | number | boolean | null | readonly SeedValue[] | { readonly [key: string]: SeedValue };

/** What cloud-init is told on the first boot, which is that of the golden template. */
export interface CloudSeed {
  /** An object becomes a `#cloud-config`; a text (`#!/bin/sh ...`, `#cloud-config ...`) is taken as it is. */
  readonly userData: string | { readonly [key: string]: SeedValue };
  /** @default an `instance-id` that is a digest of the rest */
  readonly metaData?: { readonly [key: string]: SeedValue };
  /** Version 1 or 2 of cloud-init's network configuration. @default what cloud-init makes of the cards it finds */
  readonly networkConfig?: { readonly [key: string]: SeedValue };
}

/** Label by which cloud-init's NoCloud finds its disk. */
const LABEL = 'cidata';
const MAXIMUM_FILE_BYTES = 2 ** 20;

/**
 * A disk image (ISO 9660) for cloud-init's NoCloud data source: write it to a file and give it to `describeDiskImage` as `seed`. The
 * same seed makes the same bytes. All forks share what it says: no secret belongs in it.
 * @throws TypeError, RangeError for what cannot be written as YAML, or is larger than 1 MiB
 */
export function cloudSeed(seed: CloudSeed): Uint8Array {
  const { userData, networkConfig } = seed;
  const texts = {
    'user-data': typeof userData === 'string' ? userData : `#cloud-config\n${yaml('userData', userData)}`,
    ...(networkConfig === undefined ? {} : { 'network-config': yaml('networkConfig', networkConfig) }),
  };
  const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  const metaData = { 'instance-id': `warmvm-${digest.slice(0, 16)}`, ...seed.metaData };
  const files = Object.entries({ ...texts, 'meta-data': yaml('metaData', metaData) }).map(([name, text]): IsoFile => {
    const content = Buffer.from(text);
    if (content.byteLength > MAXIMUM_FILE_BYTES) {
      throw new RangeError(`${name} has ${content.byteLength} bytes, expected at most ${MAXIMUM_FILE_BYTES}`);
    }
    return { name, content };
  });
  return iso9660(LABEL, files);
}

/**
 * JSON is YAML: no quoting rules of our own. Only what YAML 1.1 takes for unprintable has to be an escape, which JSON
 * leaves to the writer's choice.
 */
function yaml(name: string, value: { readonly [key: string]: SeedValue }): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} is ${JSON.stringify(value)}, expected an object`);
  }
  const json = JSON.stringify(value, (key, part: unknown) => {
    const fits = ['string', 'boolean', 'object'].includes(typeof part) || Number.isFinite(part);
    if (!fits) throw new TypeError(`${name}: ${key} is ${String(part)}, expected what JSON can carry`);
    return part;
  });
  return `${json.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

const UNPRINTABLE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;
