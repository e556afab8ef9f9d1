/** What becomes of a resource before its next holder: nothing, a reset and a probe, or both within a time limit each. */
export type Work = 'none' | 'recycle' | 'bounded recycle';

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
   * What a peer's caller does with the resource before giving it back. The pool of this project always resets and probes it
   * itself, behind the release, within a time limit each.
   */
  readonly work: Work;
}

/** One of the pools that are compared. */
export interface Contender {
  readonly name: string;
  /** A pool in which every resource is there and idle. */
  open(options: ContenderOptions): Promise<OpenPool>;
}
