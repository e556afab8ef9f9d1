import type { ExecOptions, ExecResult } from '@warmvm/core/driver';
import { CallersError } from './errors.ts';

type Stream = 'stdout' | 'stderr';

/** Output of one program: handed over as it comes, or kept for the result; bounded either way. */
export class GuestOutput {
  readonly #maxBytes: number;
  readonly #onOutput: ExecOptions['onOutput'];
  readonly #kept: Record<Stream, Uint8Array[]> = { stdout: [], stderr: [] };
  readonly #lengths: Record<Stream, number> = { stdout: 0, stderr: 0 };

  constructor(maxBytes: number, onOutput: ExecOptions['onOutput']) {
    this.#maxBytes = maxBytes;
    this.#onOutput = onOutput;
  }

  async write(stream: Stream, bytes: Uint8Array): Promise<void> {
    const fitting = bytes.slice(0, Math.max(0, this.#maxBytes - this.#lengths[stream]));
    this.#lengths[stream] += bytes.byteLength;
    if (fitting.byteLength === 0) return;
    const onOutput = this.#onOutput;
    if (onOutput === undefined) this.#kept[stream].push(fitting);
    else await CallersError.guard(() => onOutput(fitting, stream));
  }

  result(): Omit<ExecResult, 'exitCode' | 'signal'> {
    return {
      stdout: new Uint8Array(Buffer.concat(this.#kept.stdout)),
      stderr: new Uint8Array(Buffer.concat(this.#kept.stderr)),
      stdoutTruncated: this.#lengths.stdout > this.#maxBytes,
      stderrTruncated: this.#lengths.stderr > this.#maxBytes,
    };
  }
}
