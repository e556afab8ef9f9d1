import type { MachineState } from '@warmvm/core/driver';

/** What can happen to a machine on the host. */
export type MachineEvent =
  | 'started'
  | 'paused'
  | 'resumed'
  | 'crashed'
  | 'shut-down'
  | 'reverting'
  | 'destroying'
  | 'destroyed';

const NEXT: Readonly<Record<MachineState, Readonly<Partial<Record<MachineEvent, MachineState>>>>> = {
  starting: { started: 'running', crashed: 'crashed', reverting: 'starting', destroying: 'stopping' },
  running: {
    paused: 'paused',
    crashed: 'crashed',
    'shut-down': 'stopped',
    reverting: 'starting',
    destroying: 'stopping',
  },
  paused: {
    resumed: 'running',
    crashed: 'crashed',
    'shut-down': 'stopped',
    reverting: 'starting',
    destroying: 'stopping',
  },
  stopped: { reverting: 'starting', destroying: 'stopping' },
  crashed: { reverting: 'starting', destroying: 'stopping' },
  stopping: { destroyed: 'stopped' },
  unknown: { reverting: 'starting', destroying: 'stopping' },
};

/** The state that follows, or undefined when the event cannot happen in this state. Pure. */
export function nextMachineState(state: MachineState, event: MachineEvent): MachineState | undefined {
  return NEXT[state][event];
}

/** Whether the guest inside can answer in this state. Pure. */
export function guestAnswers(state: MachineState): boolean {
  return state === 'running';
}
