import type { TerminalStyle } from './report/terminal/style.ts';
import type { View } from './report/terminal/view.ts';

/** Where the bench app runs, and who looks on. */
export interface BenchScene {
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
  readonly view: View;
  readonly style: TerminalStyle;
  /** Folder that files and drivers are meant from. */
  readonly folder: string;
}
