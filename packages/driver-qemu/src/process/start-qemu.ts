import type { Duplex } from 'node:stream';
import type { Clock } from '@warmvm/core/driver';
import type { MachinePlan } from '../command-line/machine-plan.ts';
import { qemuArguments } from '../command-line/qemu-arguments.ts';
import { type Containment, launch } from '../containment/launch.ts';
import { Qemu } from './qemu.ts';
import {
  AGENT_DESCRIPTOR,
  MONITOR_DESCRIPTOR,
  QEMU_STDIO,
  QemuProcess,
  STATE_DESCRIPTOR,
  type StartProcess,
} from './qemu-process.ts';
import { StarterSocket } from './starter-socket.ts';

/** Where and how a QEMU is started. */
export interface QemuPlace {
  readonly program: string;
  /** Private folder it runs in. */
  readonly directory: string;
  readonly maxFileBytes: number;
  readonly containment: Containment;
  readonly clock: Clock;
  readonly start: StartProcess;
}

/** A QEMU that was started, and our ends of its sockets. */
export interface StartedQemu {
  readonly qemu: Qemu;
  /** Stream of the guest agent's port. */
  readonly agent: Duplex;
  readonly stateSocket: NodeJS.WritableStream;
}

/** Starts a QEMU whose monitor and agent are sockets that it inherits. @throws WARMVM_HOST_OPERATION */
export async function startQemu(plan: MachinePlan, place: QemuPlace): Promise<StartedQemu> {
  const { program, directory, maxFileBytes, containment, clock, start } = place;
  const channels = {
    qmp: { kind: 'inherited', descriptor: MONITOR_DESCRIPTOR },
    agent: { kind: 'inherited', descriptor: AGENT_DESCRIPTOR },
  } as const;
  const starter = await StarterSocket.open(directory, containment.user);
  const accelerated = plan.acceleration !== 'tcg';
  let process: QemuProcess;
  try {
    const words = qemuArguments({ ...plan, ...channels, starter: { kind: 'connect', path: starter.path } });
    const command = launch(
      { program, arguments: words, directory, maxFileBytes, accelerated, stdio: [...QEMU_STDIO] },
      containment,
    );
    process = await QemuProcess.start(command, start);
  } catch (error) {
    starter.close();
    throw error;
  }
  void process.ended.then(() => starter.close());
  const qemu = new Qemu({
    process,
    monitor: process.socket(MONITOR_DESCRIPTOR),
    clock,
    present: { state: 'starting', reason: 'started' },
  });
  return { qemu, agent: process.socket(AGENT_DESCRIPTOR), stateSocket: process.socket(STATE_DESCRIPTOR) };
}
