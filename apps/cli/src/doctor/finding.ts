import type { Command } from '@warmvm/local-host';

/** How bad it is: a problem keeps something from working, a warning makes it worse than it could be. */
export type Level = 'ok' | 'warning' | 'problem';

/** What can be done about a finding. */
export interface Fix {
  /** For people: what to do. */
  readonly text: string;
  /** What `--fix` runs; absent where only a person can do it. */
  readonly command?: Command;
  /** Debian packages that the command installs: `--fix` refreshes the lists for it where it must. */
  readonly packages?: readonly string[];
  /** Whether only root may run it. */
  readonly needsRoot?: boolean;
}

/** One thing that was looked at. */
export interface Finding {
  readonly id: string;
  readonly level: Level;
  readonly text: string;
  readonly fix?: Fix;
}
