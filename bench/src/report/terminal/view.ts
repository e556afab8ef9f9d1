import type { Clock } from '@warmvm/core';
import type { ProgressListener } from '../../progress.ts';
import { LiveView } from './live-view.ts';
import { PlainView } from './plain-view.ts';
import { styleFor } from './style.ts';

/** Shows a run while it goes on. */
export interface View {
  readonly listen: ProgressListener;
  /** Resolves when nothing of the view is drawn any more. Suites that had not ended are shown as not finished. */
  close(): Promise<void>;
}

/** A picture that moves on a terminal; lines everywhere else. */
export function viewFor(stream: NodeJS.WriteStream, clock: Clock): View {
  const options = { write: (text: string): void => void stream.write(text), style: styleFor(stream), clock };
  return stream.isTTY && process.env.TERM !== 'dumb' ? new LiveView(options) : new PlainView(options);
}
