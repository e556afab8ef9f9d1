import type { WarmvmError } from '@warmvm/core/driver';
import type { ObservedState } from './lifecycle.ts';

/** Told of one domain's life. */
export interface DomainListener {
  /** The hypervisor says so now. */
  observed(state: ObservedState): void;
  /** Something has changed that only a look at the state tells of. */
  changed(): void;
  /** The connection broke and is there again: what has happened meanwhile is not known. */
  resumed(): void;
  /** The connection is gone for good; nothing more will be told. */
  lost(error: WarmvmError): void;
}
