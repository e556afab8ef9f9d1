import ora from 'ora';

/** Tells a person at a terminal what is going on, on one line that goes away. */
export interface Progress {
  readonly say: (text: string) => void;
  /** Takes the line away; the next word brings it back. */
  readonly stop: () => void;
}

const SILENT: Progress = { say: () => {}, stop: () => {} };

/** Progress on a terminal; nothing at all elsewhere. */
export function progressFor(stream: NodeJS.WriteStream, isWanted: boolean): Progress {
  // A terminal that does not know its width would have the spinner clear lines without end.
  if (!isWanted || stream.isTTY !== true || !(stream.columns > 0)) return SILENT;
  // The terminal's input is not ours to take: it may be meant for the guest.
  const spinner = ora({ stream, discardStdin: false, hideCursor: true });
  return {
    say(text) {
      spinner.text = text;
      if (!spinner.isSpinning) spinner.start();
    },
    stop: () => void spinner.stop(),
  };
}
