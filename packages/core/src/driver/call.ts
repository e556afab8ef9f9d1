/** Taken by every call that can last longer than a tick. */
export interface CallOptions {
  /** Aborting rejects the call with the signal's reason itself. @default none */
  readonly signal?: AbortSignal;
}
