import type { Guest, WarmvmError } from '@warmvm/core/driver';

/** A guest that is not there: every call rejects. */
export function refusingGuest(error: WarmvmError): Guest {
  const refuse = (): Promise<never> => Promise.reject(error);
  return { ping: refuse, exec: refuse, readFile: refuse, writeFile: refuse, timeMs: refuse };
}
