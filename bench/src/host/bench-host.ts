import type { Driver, GoldenImage, Machine } from '@warmvm/core';
import type { HypervisorFacts } from '@warmvm/local-host';

/** A machine that ended without being asked to. Times are of the bench's clock. */
export interface Crash {
  /** When it was killed, taken by the one that did it. */
  readonly killedAt: number;
  /** When an observer that is no part of warmvm saw it gone. */
  readonly goneAt: number;
}

/** Hears from the hypervisor, over a connection of its own, when machines run. */
export interface RunningWatch extends AsyncDisposable {
  /** When the machine was last said to have begun or gone on running; undefined when never. */
  lastRunningAt(machineId: string): number | undefined;
}

/** What a configuration of warmvm says, so that another process makes machines on the same host. */
export interface HostChoice {
  readonly use: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A hypervisor with its driver, ready for suites; what a suite cannot do without it asks for by name. Dispose ends what was started for it. */
export interface BenchHost extends AsyncDisposable {
  /** What `--driver` said. */
  readonly driverName: string;
  readonly acceleration: string;
  readonly facts: HypervisorFacts;
  /** Ways in which the driver can be told to reset; the first is its default. */
  readonly ways: readonly string[];
  /** Sizes of machines' memory that there are images for, in bytes; the first is the usual one. */
  readonly memorySizes: readonly number[];
  /** The golden image, of one of the memory sizes. @default the first */
  image(memoryBytes?: number): Promise<GoldenImage>;
  /** A driver of this host. Whoever asks disposes it. @param way one of `ways`; the first where it is left out */
  driver(way?: string): Promise<Driver>;
  /** Names of everything that drivers of this host have made and not removed. */
  objects?(): Promise<readonly string[]>;
  /** Kills the machine from outside. */
  crash?(machine: Machine): Promise<Crash>;
  /** Process id of the hypervisor of one machine. */
  processOf?(machine: Pick<Machine, 'id'>): Promise<number>;
  watchRunning?(signal: AbortSignal): Promise<RunningWatch>;
  /** Of `ways`, the one that leaves the network to the host out: the others are measured beside it. */
  readonly localWay?: string;
  /** Where there is nobody else to ask: whether the driver tells that a machine runs before its guest is renewed. */
  readonly driverTellsRunning?: boolean;
  /** How other processes name this host; what they leave there, its drivers or its dispose remove. */
  readonly choice?: HostChoice;
  /** Socket of a libvirt daemon, for suites of the client alone. */
  readonly libvirtSocket?: string;
  /** Set where an sshd can be started on this computer. */
  readonly canStartSshd?: true;
}

/** What most drivers are tried with. */
export const USUAL_MEMORY_BYTES: number = 256 * 2 ** 20;
/** Enough for a reset that copies memory to show it. */
export const LARGE_MEMORY_BYTES: number = 2 * 2 ** 30;

/** Whether its machines exist in memory alone, and take the times they are told to. */
export function isSimulated({ acceleration }: Pick<BenchHost, 'acceleration'>): boolean {
  return acceleration === 'none';
}
