import { shownText } from '@warmvm/core/driver';
import ora from 'ora';
import { NO_PROGRESS, type Progress } from './no-progress.ts';

/** What one line of a wide terminal can show. */
const MAX_CHARACTERS = 300;

/** Progress on a terminal; nothing at all elsewhere. */
export function progressFor(stream: NodeJS.WriteStream, isWanted: boolean): Progress {
  // A terminal that does not know its width would have the spinner clear lines without end.
  if (!isWanted || stream.isTTY !== true || !(stream.columns > 0)) return NO_PROGRESS;
  // The terminal's input is not ours to take: it may be meant for the guest.
  const spinner = ora({ stream, discardStdin: false, hideCursor: true });
  return {
    say(text) {
      spinner.text = shownText(text, { mostChars: MAX_CHARACTERS });
      if (!spinner.isSpinning) spinner.start();
    },
    stop: () => void spinner.stop(),
  };
}
