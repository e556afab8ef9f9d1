import type { MachineState } from '@warmvm/core/driver';
import type { QmpEvent } from '../qmp/message.ts';
import type { ProcessEnd } from './qemu-process.ts';

/** A machine state with the hypervisor's word for it. */
export interface ObservedState {
  readonly state: MachineState;
  readonly reason: string;
}

/** Nothing comes after it but the end of the process. */
export function isOver({ state }: ObservedState): boolean {
  return state === 'stopped' || state === 'crashed';
}

/** What an event says of the machine's state; undefined: nothing. */
export function stateOfEvent({ event, data }: QmpEvent): ObservedState | undefined {
  switch (event) {
    case 'RESUME':
      return { state: 'running', reason: 'RESUME' };
    case 'STOP':
    case 'SUSPEND':
    case 'SUSPEND_DISK':
      return { state: 'paused', reason: event };
    case 'WAKEUP':
      return { state: 'running', reason: 'WAKEUP' };
    case 'SHUTDOWN':
      return { state: 'stopping', reason: `SHUTDOWN ${word(data.reason)}` };
    case 'GUEST_PANICKED':
      return { state: 'crashed', reason: `GUEST_PANICKED ${word(data.action)}` };
    default:
      return undefined;
  }
}

/** What the end of the process says, after what was observed last: a guest may shut down, everything else is a crash. */
export function stateOfEnd(end: ProcessEnd, last: ObservedState): ObservedState {
  const how = end.signal === null ? `QEMU ended with exit code ${end.exitCode}` : `QEMU ended by ${end.signal}`;
  if (last.state === 'stopping' && end.signal === null)
    return { state: 'stopped', reason: `${how} after ${last.reason}` };
  return { state: 'crashed', reason: how };
}

/** What `query-status` says. */
export function stateOfStatus(status: unknown): ObservedState {
  const reason = word(status);
  switch (reason) {
    case 'running':
      return { state: 'running', reason };
    case 'paused':
    case 'suspended':
    case 'save-vm':
    case 'postmigrate':
    case 'io-error':
      return { state: 'paused', reason };
    case 'inmigrate':
    case 'prelaunch':
    case 'restore-vm':
      return { state: 'starting', reason };
    case 'shutdown':
      return { state: 'stopping', reason };
    case 'guest-panicked':
    case 'internal-error':
    case 'watchdog':
      return { state: 'crashed', reason };
    default:
      return { state: 'unknown', reason };
  }
}

function word(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 60) : 'without a word';
}
