import type { Clock } from '../clock.ts';

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly clock: Clock;
  /** Default deadline of `finish` and `abort`. */
  readonly timeoutMs: number;
  readonly write: (bytes: Uint8Array) => void;
  /** Resolves when more may be written. */
  readonly drained: (signal?: AbortSignal) => Promise<void>;
  readonly pause: (consumer: object) => void;
  readonly resume: (consumer: object) => void;
  /** The stream is over; its serial is free. */
  readonly release: (serial: number) => void;
}
