import type {
  CallOptions,
  ExecOptions,
  ExecResult,
  Guest,
  ReadFileOptions,
  WriteFileOptions,
} from '@warmvm/core/driver';
import { WarmvmError } from '@warmvm/core/driver';
import type { CallFacts, RunningCall } from './calls.ts';
import type { DriverContext } from './context.ts';
import { ArgumentError, guestUnresponsive, machineGone, notSupported } from './errors.ts';
import { runInGuest } from './guest-exec.ts';
import type { GuestWorld } from './guest-world.ts';
import type { HostMachine } from './host-store.ts';
import { guestAnswers } from './machine-state.ts';
import { mergeSignals } from './signals.ts';

const encoder = new TextEncoder();

/** What a guest needs of its machine. */
export interface GuestDoor {
  /** Aborted when the present generation ends, or the machine is disposed. */
  end(): AbortSignal;
  /** The machine on the host. @throws WarmvmError when it is gone or not proved to be renewed */
  open(): HostMachine;
}

/** The guest of a fake machine. */
export class FakeGuest implements Guest {
  readonly #context: DriverContext;
  readonly #id: string;
  readonly #door: GuestDoor;

  constructor(context: DriverContext, id: string, door: GuestDoor) {
    this.#context = context;
    this.#id = id;
    this.#door = door;
  }

  ping(options: CallOptions = {}): Promise<void> {
    return this.#inside({ operation: 'guest.ping', latency: 'guestMs' }, options, () => undefined);
  }

  exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { clock } = this.#context;
    const facts = { operation: 'guest.exec', latency: 'execMs', command } as const;
    return this.#inside(facts, options, (world, signal) => runInGuest({ command, options, world, clock, signal }));
  }

  readFile(path: string, options: ReadFileOptions = {}): Promise<Uint8Array> {
    return this.#inside({ operation: 'guest.readFile', latency: 'guestMs' }, options, (world) => {
      const maxBytes = options.maxBytes ?? 16_777_216;
      if (!(maxBytes >= 0)) throw new ArgumentError(`maxBytes must be a number of at least 0, got ${maxBytes}`);
      const content = world.read(path);
      if (content.byteLength <= maxBytes) return content.slice();
      throw new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `${path} is longer than ${maxBytes} bytes`, {
        details: { path, maxBytes, reason: 'too-long' },
        cause: new Error(`${content.byteLength} bytes`),
      });
    });
  }

  writeFile(path: string, content: Uint8Array | string, options: WriteFileOptions = {}): Promise<void> {
    return this.#inside({ operation: 'guest.writeFile', latency: 'guestMs' }, options, (world) => {
      world.write(path, typeof content === 'string' ? encoder.encode(content) : content, options.append === true);
    });
  }

  timeMs(options: CallOptions = {}): Promise<number> {
    return this.#inside({ operation: 'guest.timeMs', latency: 'guestMs' }, options, (world) =>
      world.timeMs(this.#context.host.clock),
    );
  }

  #inside<Result>(
    facts: CallFacts,
    options: CallOptions,
    work: (world: GuestWorld, signal: AbortSignal) => Result | Promise<Result>,
  ): Promise<Result> {
    const signals = { user: options.signal, also: [this.#door.end()] };
    return this.#context.calls.run({ ...facts, machineId: this.#id }, signals, async (call) => {
      if (!this.#context.capabilities.guestAgent) throw notSupported(facts.operation, 'guestAgent: false');
      const machine = this.#door.open();
      const { life } = machine;
      if (!guestAnswers(machine.state)) throw guestUnresponsive(this.#id, machine.state);
      return this.#whileAlive(call, machine, life.signal, work);
    });
  }

  async #whileAlive<Result>(
    call: RunningCall,
    machine: HostMachine,
    life: AbortSignal,
    work: (world: GuestWorld, signal: AbortSignal) => Result | Promise<Result>,
  ): Promise<Result> {
    const merged = mergeSignals([call.signal, life]);
    try {
      await call.pace.stage(null, 1, merged.signal);
      if (!guestAnswers(machine.state) || machine.world === null) throw guestUnresponsive(this.#id, machine.state);
      return await work(machine.world, merged.signal);
    } catch (error) {
      if (call.signal.aborted || !life.aborted) throw error;
      if (this.#context.store.machines.has(this.#id)) throw guestUnresponsive(this.#id, machine.state);
      throw machineGone(this.#id, 'the host has forgotten it');
    } finally {
      merged.release();
    }
  }
}
