import { randomUUID } from 'node:crypto';
import { currentOwnerProcess, type OwnerTag } from '@warmvm/core';

/** The mark on what a suite makes without a pool. */
export function benchOwner(pool: string): OwnerTag {
  return { pool, instance: randomUUID(), process: currentOwnerProcess() };
}
