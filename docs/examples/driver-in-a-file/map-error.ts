import { type ErrorCode, WarmvmError } from '@warmvm/core/driver';
import { ShoeboxError } from './hypervisor.ts';

// #region map-error
const CODES: Readonly<Record<ShoeboxError['reason'], ErrorCode>> = {
  unplugged: 'WARMVM_HOST_LOST',
  'no such vm': 'WARMVM_MACHINE_GONE',
  refused: 'WARMVM_HOST_OPERATION',
};

/** The hypervisor's errors in the words of the contract; all else comes back as it is. */
export function mapError(error: unknown, doing: string): unknown {
  if (!(error instanceof ShoeboxError)) return error;
  const code = CODES[error.reason];
  const retryable = code !== 'WARMVM_MACHINE_GONE';
  return new WarmvmError(code, `could not ${doing}: ${error.message}`, { cause: error, retryable });
}
// #endregion

export function isAbsent(error: unknown): boolean {
  return error instanceof ShoeboxError && error.reason === 'no such vm';
}
