import { WarmvmError } from '@warmvm/core/driver';
import { ShoeboxError } from './hypervisor.ts';

// #region map-error
/** The hypervisor's errors in the words of the contract; all else comes back as it is. */
export function mapError(error: unknown, doing: string): unknown {
  if (!(error instanceof ShoeboxError)) return error;
  const lost = error.reason === 'unplugged';
  const code = lost ? 'WARMVM_HOST_LOST' : 'WARMVM_MACHINE_GONE';
  return new WarmvmError(code, `could not ${doing}: ${error.message}`, { cause: error, retryable: lost });
}
// #endregion

export function isAbsent(error: unknown): boolean {
  return error instanceof ShoeboxError && error.reason === 'no such vm';
}
