import type { ExecOptions } from '@warmvm/core/driver';
import { requireInteger, requireText } from './check.ts';

const DEFAULT_MAX_OUTPUT_BYTES = 1_048_576;
const DEFAULT_MAX_STREAM_BYTES = 1_073_741_824;
/** Base64 makes 2.8 MB of it; libvirt carries commands of less than 4 MiB. */
const MAX_CAPTURED_STDIN_BYTES = 2_097_152;
/** The agent keeps 16 MiB of each stream, and sends them in one answer: what is to be kept of it must fit in memory. */
const MAX_CAPTURED_OUTPUT_BYTES = 4_194_304;

/** A program that the agent runs by itself. */
export interface CapturedPlan {
  readonly streamed: false;
  readonly stdin: Uint8Array;
  readonly maxOutputBytes: number;
}

/** A program that needs more than the agent has: a shell of the guest helps. */
export interface StreamedPlan {
  readonly streamed: true;
  readonly stdin: Uint8Array | AsyncIterable<Uint8Array | string>;
  readonly maxOutputBytes: number;
  readonly onOutput: ExecOptions['onOutput'];
  readonly workingDirectory: string | undefined;
}

/**
 * Which of both ways a program takes. Pure.
 * @throws TypeError, RangeError for bad options
 */
export function planExec(options: ExecOptions): CapturedPlan | StreamedPlan {
  const { onOutput, workingDirectory } = options;
  const { maxOutputBytes = onOutput === undefined ? DEFAULT_MAX_OUTPUT_BYTES : DEFAULT_MAX_STREAM_BYTES } = options;
  requireInteger('maxOutputBytes', maxOutputBytes, 0);
  if (onOutput !== undefined && typeof onOutput !== 'function') throw new TypeError('onOutput must be a function');
  if (workingDirectory !== undefined) requireFolder(workingDirectory);
  const stdin = input(options.stdin);
  const fits = stdin instanceof Uint8Array && stdin.length <= MAX_CAPTURED_STDIN_BYTES;
  const isSmall = fits && maxOutputBytes <= MAX_CAPTURED_OUTPUT_BYTES;
  if (isSmall && onOutput === undefined && workingDirectory === undefined) {
    return { streamed: false, stdin, maxOutputBytes };
  }
  return { streamed: true, stdin, maxOutputBytes, onOutput, workingDirectory };
}

function requireFolder(path: string): void {
  requireText('workingDirectory', path);
  if (!path.startsWith('/')) throw new TypeError(`workingDirectory must be an absolute path, not ${path}`);
}

function input(stdin: ExecOptions['stdin']): Uint8Array | AsyncIterable<Uint8Array | string> {
  if (stdin === undefined) return new Uint8Array(0);
  if (typeof stdin === 'string') return Buffer.from(stdin, 'utf8');
  if (stdin instanceof Uint8Array || (typeof stdin === 'object' && Symbol.asyncIterator in stdin)) return stdin;
  throw new TypeError('stdin must be bytes, text, or an async iterable of them');
}
