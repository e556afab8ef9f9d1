import type { CloseReport } from '@warmvm/core';
import type { OpenPool } from '../../place/own-pool.ts';
import type { PoolStatus, Welcome } from '../protocol/messages.ts';

/** What the connections of a kept pool share. */
export interface PoolHome {
  readonly welcome: Welcome;
  /** The pool; it may still be on its way. */
  readonly opened: Promise<Pick<OpenPool, 'pool' | 'reach'>>;
  /** How long a machine may be lent at most; its connection ends it before. */
  readonly leaseMs: number;
  status(): PoolStatus;
  /** Lends nothing more, waits for what is lent, and ends the pool. */
  drain(graceMs: number): Promise<CloseReport>;
}
