/** Files that a run leaves, each only where it was asked for. */
export interface Outputs {
  readonly json?: string | undefined;
  readonly html?: string | undefined;
  readonly markdown?: string | undefined;
}

interface Common extends Outputs {
  /** Names of suites. One that is named and that no driver can run is an error; with none, all that the drivers can run are meant. */
  readonly suites: readonly string[];
  /** Names of drivers, or packages or paths of modules that export `kitSubject`. */
  readonly drivers: readonly string[];
  /** Samples of each figure. @default each suite's own number */
  readonly samples?: number | undefined;
  /** Whether a missed floor, a target that was not measured or a figure that got worse makes the exit code 1. */
  readonly gate: boolean;
  /** File of targets. @default those of warmvm */
  readonly targets?: string | undefined;
}

/** Suites to run. */
export interface RunRequest extends Common {
  readonly kind: 'run';
  /** File of a result to compare with. @default none */
  readonly compare?: string | undefined;
  /** Whether to compare although the hosts differ. */
  readonly acrossHosts: boolean;
  /** Keeps in this process what is otherwise spread over several. */
  readonly inProcess: boolean;
}

/** Another commit of warmvm to run in turns with this checkout of it. */
export interface CompareRefRequest extends Common {
  readonly kind: 'compare-ref';
  /** Commit, branch or tag. */
  readonly ref: string;
  /** Processes of each side. */
  readonly blocks: number;
}

/** Another driver, or another build of the same, to run in turns with the one of `drivers`. */
export interface CompareDriverRequest extends Common {
  readonly kind: 'compare-driver';
  /** Name, package or path, as in `drivers`. */
  readonly against: string;
  /** Processes of each side. */
  readonly blocks: number;
}

/** What the bench can be asked to do. */
export type BenchRequest = { readonly kind: 'list' } | RunRequest | CompareRefRequest | CompareDriverRequest;
