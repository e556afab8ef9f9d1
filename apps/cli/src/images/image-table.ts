import { styleText } from 'node:util';
import { shownText } from '@warmvm/core/driver';
import Table from 'cli-table3';
import { filesOf } from './image-record.ts';
import type { StoredImage } from './image-store.ts';

/** An image as `--json` tells it. */
export interface ImageFacts {
  readonly name: string;
  readonly kind: 'disk' | 'kernel';
  readonly format?: 'qcow2' | 'raw';
  readonly architecture: string;
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  readonly network: string;
  /** Size of the disk that the guest sees. */
  readonly diskBytes: number;
  /** Length of its files. */
  readonly sizeBytes: number;
  readonly digest: string;
  readonly renewal?: string;
  readonly origin: string;
  readonly createdAt: string;
}

/** What is told of an image. */
export function imageFacts({ name, record }: StoredImage): ImageFacts {
  const { boot, architecture, memoryBytes, virtualCpus, network, digest, renewal, origin, createdAt } = record;
  return {
    name,
    kind: boot.kind,
    ...(boot.kind === 'disk' ? { format: boot.format } : {}),
    architecture,
    memoryBytes,
    virtualCpus,
    network,
    diskBytes: boot.diskBytes,
    sizeBytes: filesOf(record).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    digest,
    ...(renewal === undefined ? {} : { renewal }),
    origin,
    createdAt,
  };
}

const SHOWN_DIGITS = 12;

/** The images, a line each, for people. */
export function imageTable(images: readonly StoredImage[]): string {
  const heads = ['name', 'kind', 'architecture', 'size', 'memory', 'digest', 'created', 'origin'];
  const isTerminal = process.stdout.isTTY === true;
  const table = new Table({
    head: isTerminal ? heads.map((head) => styleText('bold', head)) : heads,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: ['left', 'left', 'left', 'right', 'right', 'left', 'left', 'left'],
    chars: NO_LINES,
  });
  for (const image of images) {
    const { name, kind, format, architecture, sizeBytes, memoryBytes, digest, createdAt, origin } = imageFacts(image);
    const shortDigest = digest.replace('sha256:', '').slice(0, SHOWN_DIGITS);
    const created = createdAt.slice(0, 16).replace('T', ' ');
    const what = format ?? kind;
    table.push([
      name,
      what,
      architecture,
      sizeText(sizeBytes),
      sizeText(memoryBytes),
      shortDigest,
      created,
      shownText(origin, { mostChars: 200 }),
    ]);
  }
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** A size as people read it. */
export function sizeText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
