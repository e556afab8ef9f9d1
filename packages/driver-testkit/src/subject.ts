import type { Driver, GoldenImage, Machine, OwnerProcess } from '@warmvm/core/driver';

/** Where the kit leaves markers in a guest. */
export interface GuestPaths {
  /** Absolute path of a file that lives in memory alone; its folder exists. @default '/run/kit-marker' */
  readonly memory?: string;
  /** Absolute path of a file on the disk; its folder exists. @default '/disk/kit-marker' */
  readonly disk?: string;
}

/**
 * Work that a host can be made to refuse, from outside the driver:
 * - `destroy`: the host does not destroy the machine.
 * - `state`: the host does not answer for the state of the machine.
 * - `events`: no event about the machine reaches the driver; its calls are answered.
 * - `adopt`: an adoption of the machine fails, at as late a step as the host can make it fail.
 * - `prepare`: the host makes no golden snapshot, at as early a step as the host can refuse it.
 */
export type InjectedFault = 'destroy' | 'state' | 'events' | 'adopt' | 'prepare';

/** The driver under test, and what the kit cannot do through the contract itself. */
export interface KitSubject {
  /** Name for titles and the report, such as `libvirt`. */
  readonly name: string;
  /** Version of the driver's package, for the report. @default none */
  readonly version?: string;
  /**
   * A new driver for the host under test: unique, and sharing nothing in this process with those before. All of them serve the
   * same host. The kit disposes it.
   */
  create(): Promise<Driver>;
  /** Image of a small guest that is ready soon; it has the programs of busybox and a renewal command. */
  readonly goldenImage: GoldenImage;
  /** @default the paths of the tiny image */
  readonly guest?: GuestPaths;
  /**
   * Names of everything on the host that drivers make (machines, volumes, files, processes), each once: what DISPOSE counts.
   * Leave out what others make there meanwhile: names of the kit's pools begin with `poolPrefix`.
   */
  hostObjects?(): Promise<readonly string[]>;
  /** Ends the machine from outside, as a crash of its hypervisor process would. Resolves once it has happened. */
  killMachine?(machine: Machine): Promise<void>;
  /** Breaks every connection to the host and lets none be made. Dispose of the result lets connections be made again. */
  loseHost?(): Promise<AsyncDisposable>;
  /**
   * Makes the host refuse this work, until what it resolves with is disposed: for one machine, or for all where none is named. The
   * driver must not know. Resolves once the host refuses it; dispose resolves once the host does it again.
   */
  injectFault?(fault: InjectedFault, machine?: Machine): Promise<AsyncDisposable>;
  /** Factor of every time in the kit: above 1 for a slow host, below 1 for a fake. Above 0. @default 1 */
  readonly timeScale?: number;
  /** How the names of the kit's pools begin. Subjects that run beside each other on one host need different ones. @default 'kit-' */
  readonly poolPrefix?: string;
  /** Process named in the owner tags. Give the real one where leftovers are to be swept after a killed run. @default one of no computer */
  readonly process?: OwnerProcess;
}

/** A hook of a {@link KitSubject} that some cases cannot do without. */
export type KitHook = 'hostObjects' | 'killMachine' | 'loseHost' | 'injectFault';

/** A subject with everything decided. */
export interface ParsedSubject extends KitSubject {
  readonly paths: { readonly memory: string; readonly disk: string };
  readonly timeScale: number;
  readonly poolPrefix: string;
  readonly process: OwnerProcess;
}

const NO_COMPUTER: OwnerProcess = { bootId: 'driver-testkit', pid: 1, startTime: '0' };

/** @throws TypeError or RangeError for a subject that is none */
export function parseSubject(subject: KitSubject): ParsedSubject {
  if (typeof subject !== 'object' || subject === null) {
    throw new TypeError(`subject must be an object, got ${JSON.stringify(subject)}`);
  }
  const { name, version, guest = {}, timeScale = 1, poolPrefix = 'kit-' } = subject;
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`subject.name must be a text that is not empty, got ${JSON.stringify(name)}`);
  }
  if (typeof subject.create !== 'function')
    throw new TypeError('subject.create must be a function that makes a driver');
  if (typeof subject.goldenImage !== 'object' || subject.goldenImage === null) {
    throw new TypeError('subject.goldenImage must be a golden image');
  }
  if (!(timeScale > 0 && timeScale < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`subject.timeScale must be a finite number above 0, got ${timeScale}`);
  }
  if (typeof poolPrefix !== 'string' || !/^[\w.-]{1,40}$/.test(poolPrefix)) {
    throw new RangeError(
      `subject.poolPrefix must be 1 to 40 letters, digits, "-", "_" and ".", got ${JSON.stringify(poolPrefix)}`,
    );
  }
  return {
    name,
    ...(version === undefined ? {} : { version }),
    create: () => subject.create(),
    goldenImage: subject.goldenImage,
    ...(subject.hostObjects === undefined ? {} : { hostObjects: () => subject.hostObjects!() }),
    ...(subject.killMachine === undefined ? {} : { killMachine: (machine) => subject.killMachine!(machine) }),
    ...(subject.loseHost === undefined ? {} : { loseHost: () => subject.loseHost!() }),
    ...(subject.injectFault === undefined
      ? {}
      : { injectFault: (fault, machine) => subject.injectFault!(fault, machine) }),
    paths: { memory: guest.memory ?? '/run/kit-marker', disk: guest.disk ?? '/disk/kit-marker' },
    timeScale,
    poolPrefix,
    process: subject.process ?? NO_COMPUTER,
  };
}
