import type { Clock } from '@warmvm/core';
import { DomainEventType, openClient } from '@warmvm/libvirt';
import type { RunningWatch } from './bench-host.ts';

/** Lifecycle events of every domain, over a connection that no driver has a part in. */
export async function watchRunningDomains(uri: string, clock: Clock, signal: AbortSignal): Promise<RunningWatch> {
  const client = await openClient({ uri, signal });
  const lastAt = new Map<string, number>();
  const subscription = await client.domainEvents('lifecycle', { signal });
  const reading = (async () => {
    for await (const { dom, event } of subscription) {
      if (event === DomainEventType.STARTED || event === DomainEventType.RESUMED) lastAt.set(dom.name, clock.now());
    }
  })().catch(() => {});
  return {
    lastRunningAt: (machineId) => lastAt.get(machineId),
    async [Symbol.asyncDispose]() {
      await client.close();
      await reading;
    },
  };
}
