import type { ReplyHandler } from '../connection/pending-call.ts';
import { payloadCodec } from '../procedures/notation.ts';
import type { Registration } from './registration.ts';
import type { EventRouter } from './router.ts';
import { EventQueue, type Subscription } from './subscription.ts';

/** The calls that a subscription needs. */
export interface SubscriptionCalls {
  readonly register: (
    args: Registration['args'],
    signal: AbortSignal | undefined,
    handler: ReplyHandler<EventQueue<unknown>>,
  ) => Promise<EventQueue<unknown>>;
  readonly deregister: (callbackId: number) => Promise<void>;
}

/**
 * Registers for events.
 * @throws the signal's reason, or the error of the registration.
 */
export async function subscribe<Event>(
  router: EventRouter,
  wanted: Registration,
  calls: SubscriptionCalls,
): Promise<Subscription<Event>> {
  const { signal } = wanted;
  const channel = { program: wanted.program, message: wanted.kind.message };
  const codec = payloadCodec(wanted.kind.payload);
  router.expect(channel);
  try {
    const queue = await calls.register(wanted.args, signal, {
      accept({ callbackID }) {
        const callbackId = Number(callbackID);
        router.assertFree(channel, callbackId);
        const made = new EventQueue<unknown>(
          async () => {
            signal?.removeEventListener('abort', onAbort);
            router.detach(channel, callbackId);
            // A daemon that cannot deregister goes on sending, and those events are dropped.
            await calls.deregister(callbackId).catch(() => {});
          },
          () => signal?.removeEventListener('abort', onAbort),
        );
        const onAbort = (): void => made.fail(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        router.attach(channel, callbackId, { queue: made, codec });
        return made;
      },
      discard: (made) => void made[Symbol.asyncDispose](),
    });
    return queue as unknown as Subscription<Event>;
  } finally {
    router.settle(channel);
  }
}
