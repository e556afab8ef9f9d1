import type { DriverCapabilities } from '@warmvm/core/driver';

/** What a manifest must say for a case to run. */
export type Need =
  | 'reset'
  | 'no reset'
  | 'guest agent'
  | 'no guest agent'
  | 'state events'
  | 'polling'
  | 'survives reconnect'
  | 'dies with connection'
  | 'several forks at once';

const NEEDS: Readonly<Record<Need, (capabilities: DriverCapabilities) => boolean>> = {
  reset: ({ reset }) => reset !== 'none',
  'no reset': ({ reset }) => reset === 'none',
  'guest agent': ({ guestAgent }) => guestAgent,
  'no guest agent': ({ guestAgent }) => !guestAgent,
  'state events': ({ stateEvents }) => stateEvents,
  polling: ({ stateEvents }) => !stateEvents,
  'survives reconnect': ({ survivesReconnect }) => survivesReconnect,
  'dies with connection': ({ survivesReconnect }) => !survivesReconnect,
  'several forks at once': ({ concurrentForks }) => concurrentForks > 1,
};

/** Why a case with these needs does not apply to a driver of this manifest; undefined when it does. Pure. */
export function inapplicable(needs: readonly Need[], capabilities: DriverCapabilities): string | undefined {
  const unmet = needs.filter((need) => !NEEDS[need](capabilities));
  return unmet.length === 0 ? undefined : `the manifest does not say: ${unmet.join(', ')}`;
}
