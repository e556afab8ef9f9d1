import { WarmvmError } from '@warmvm/core/driver';

/** What a golden image is made from is not what it must be; making the same call again will not help. */
export function invalidGolden(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): WarmvmError {
  return new WarmvmError('WARMVM_GOLDEN_INVALID', message, { details, ...(cause === undefined ? {} : { cause }) });
}
