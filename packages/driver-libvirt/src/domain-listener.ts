import type { WarmvmError } from '@warmvm/core/driver';
import { type DomainRef, uuidToString } from '@warmvm/libvirt';
import { asksForState, type ObservedState, stateOfEvent } from './lifecycle.ts';

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

/** Passes each lifecycle event on to the listener of its domain, by id. Resolves when the events end; rejects when they break. */
export async function follow(
  events: AsyncIterable<{ readonly dom: DomainRef; readonly event: number; readonly detail: number }>,
  listeners: ReadonlyMap<string, DomainListener>,
): Promise<void> {
  for await (const { dom, event, detail } of events) {
    const listener = listeners.get(uuidToString(dom.uuid));
    if (listener === undefined) continue;
    const observed = stateOfEvent(event, detail);
    if (observed !== undefined) listener.observed(observed);
    else if (asksForState(event, detail)) listener.changed();
  }
}
