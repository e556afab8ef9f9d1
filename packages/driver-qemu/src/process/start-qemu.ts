import type { StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Clock } from '@warmvm/core/driver';
import { checkPlan } from '../command-line/check-plan.ts';
import type { MachinePlan } from '../command-line/machine-plan.ts';
import { qemuArguments } from '../command-line/qemu-arguments.ts';
import { type Containment, launch } from '../containment/launch.ts';
import { inheritFiles } from './inherited-files.ts';
import { type SocketForQemu, socketForQemu } from './private-socket.ts';
import { Qemu } from './qemu.ts';
import {
  AGENT_DESCRIPTOR,
  CONSOLE_DESCRIPTOR,
  FIRST_FILE_DESCRIPTOR,
  HEIR_DESCRIPTOR,
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
  /** Folder it runs in: QEMU may pass through it and neither list nor write it. */
  readonly directory: string;
  readonly maxFileBytes: number;
  /** Name in that folder of the socket for a later owner. @default none */
  readonly heir?: string;
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
  /** What the guest writes to its serial port; absent where the plan's console is not inherited. */
  readonly console?: Duplex;
}

/** Starts a QEMU that inherits its monitors, agent and files as descriptors. @throws WARMVM_HOST_OPERATION */
export async function startQemu(plan: MachinePlan, place: QemuPlace): Promise<StartedQemu> {
  const { directory, clock } = place;
  checkPlan(plan);
  const starter = await StarterSocket.open(directory);
  let process: QemuProcess;
  try {
    process = await startProcessOf(plan, place, starter.name);
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
  return {
    qemu,
    agent: process.socket(AGENT_DESCRIPTOR),
    stateSocket: process.socket(STATE_DESCRIPTOR),
    ...(plan.console.kind === 'inherited' ? { console: process.socket(CONSOLE_DESCRIPTOR) } : {}),
  };
}

async function startProcessOf(plan: MachinePlan, place: QemuPlace, starter: string): Promise<QemuProcess> {
  const { program, directory, maxFileBytes, containment, start } = place;
  const files = await inheritFiles(plan, FIRST_FILE_DESCRIPTOR);
  let heir: SocketForQemu | undefined;
  try {
    const words = qemuArguments({
      ...files.plan,
      starter: { kind: 'connect', path: starter },
      qmp: { kind: 'inherited', descriptor: MONITOR_DESCRIPTOR },
      agent: { kind: 'inherited', descriptor: AGENT_DESCRIPTOR },
      ...(place.heir === undefined
        ? {}
        : { heir: { kind: 'inherited', descriptor: HEIR_DESCRIPTOR, listens: true } as const }),
    });
    heir = place.heir === undefined ? undefined : await socketForQemu(directory, place.heir);
    const seventh = heir?.descriptor ?? (plan.console.kind === 'inherited' ? 'pipe' : 'ignore');
    const stdio: StdioOptions = [...QEMU_STDIO, seventh, ...files.descriptors];
    const accelerated = plan.acceleration !== 'tcg';
    const command = launch({ program, arguments: words, directory, maxFileBytes, accelerated, stdio }, containment);
    return await QemuProcess.start(command, start);
  } finally {
    heir?.close();
    await files[Symbol.asyncDispose]();
  }
}
