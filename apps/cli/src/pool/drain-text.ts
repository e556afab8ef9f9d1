import type { DrainFacts } from '../kept-pool/protocol/messages.ts';

/** How a pool ended, for people. */
export function drainText(pool: string, { durationMs, revoked, undestroyed }: DrainFacts): string {
  const seconds = (durationMs / 1000).toFixed(1);
  const parts = [
    revoked === 0 ? 'every lease came back' : `${revoked} leases were taken back`,
    undestroyed === 0 ? 'nothing is left' : `${undestroyed} machines could not be destroyed: see warmvm sweep`,
  ];
  return `pool ${pool} has ended after ${seconds} s: ${parts.join(', ')}\n`;
}
