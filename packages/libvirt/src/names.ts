import * as state from './constants/domain-state.ts';
import { DomainEventPmSuspendedDetail } from './constants/event-details.ts';
import * as detail from './constants/events.ts';

/** A group of constants, such as `DomainState`. */
export type Constants = Readonly<Record<string, number>>;

/** The name of a number in a group of constants: `nameOf(DomainState, 1)` is `'RUNNING'`; undefined for a number that has none. */
export function nameOf<Group extends Constants>(
  constants: Group,
  value: number,
): Extract<keyof Group, string> | undefined {
  return Object.keys(constants).find((name) => constants[name] === value) as Extract<keyof Group, string> | undefined;
}

/** The names of the bits that are set in flags, lowest first; bits without a name are left out. */
export function flagNames<Group extends Constants>(constants: Group, flags: number): Extract<keyof Group, string>[] {
  const set = Object.entries(constants).filter(([, bit]) => bit !== 0 && (flags & bit) >>> 0 === bit >>> 0);
  return set.sort(([, a], [, b]) => a - b).map(([name]) => name as Extract<keyof Group, string>);
}

const eventDetails: readonly (Constants | undefined)[] = [
  detail.DomainEventDefinedDetail,
  detail.DomainEventUndefinedDetail,
  detail.DomainEventStartedDetail,
  detail.DomainEventSuspendedDetail,
  detail.DomainEventResumedDetail,
  detail.DomainEventStoppedDetail,
  detail.DomainEventShutdownDetail,
  DomainEventPmSuspendedDetail,
  detail.DomainEventCrashedDetail,
];

const stateReasons: readonly (Constants | undefined)[] = [
  undefined,
  state.DomainRunningReason,
  undefined,
  state.DomainPausedReason,
  state.DomainShutdownReason,
  state.DomainShutoffReason,
  state.DomainCrashedReason,
  undefined,
];

/** The names of a domain lifecycle event, such as `STARTED` and `BOOTED`; a number without a name becomes its digits. */
export function lifecycleNames(event: { readonly event: number; readonly detail: number }): {
  readonly event: string;
  readonly detail: string;
} {
  return {
    event: nameOf(detail.DomainEventType, event.event) ?? String(event.event),
    detail: nameOf(eventDetails[event.event] ?? {}, event.detail) ?? String(event.detail),
  };
}

/** The names of what `domainGetState` returns, such as `RUNNING` and `BOOTED`; a number without a name becomes its digits. */
export function stateNames(found: { readonly state: number; readonly reason: number }): {
  readonly state: string;
  readonly reason: string;
} {
  return {
    state: nameOf(state.DomainState, found.state) ?? String(found.state),
    reason: nameOf(stateReasons[found.state] ?? {}, found.reason) ?? String(found.reason),
  };
}
