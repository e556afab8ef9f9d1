/** What a resource can do: nothing, or what a machine must go through before its next holder. */
export type Work = 'none' | 'recycle';

/** A pool of trivial resources under measurement. */
export interface OpenPool {
  acquire(): Promise<object>;
  /** Gives it back; a promise only where the pool's own call gives one, so that nobody waits more than its users do. */
  release(resource: object): Promise<unknown> | undefined;
  /** Keeps what a pool does behind a release from ending; what it gives lets it end, and waits for that. */
  holdRecycling?(): () => Promise<void>;
  close(): Promise<void>;
}

/** How a pool is opened. */
export interface ContenderOptions {
  readonly resources: number;
  /** Callers that may wait, where the pool has such a bound. */
  readonly waiting: number;
  /** Longest that an acquire waits. */
  readonly deadlineMs: number;
  /**
   * `recycle`: a peer's caller resets and probes the resource before giving it back. The pool of this project always does
   * that itself, behind the release.
   */
  readonly work: Work;
}

/** One of the pools that are compared. */
export interface Contender {
  readonly name: string;
  /** A pool in which every resource is there and idle. */
  open(options: ContenderOptions): Promise<OpenPool>;
}
