import { type Clock, shownText, systemClock, type Timer } from '@warmvm/core/driver';
import ora from 'ora';
import { NO_PROGRESS, type Progress } from './no-progress.ts';

/** What one line of a wide terminal can show. */
const MAX_CHARACTERS = 300;
/** A step that takes longer is shown with its time. */
const SHORT_STEP_MS = 5_000;
/** Without a terminal, a step that goes on is said again after this time. */
const STILL_EVERY_MS = 30_000;

/** Options of {@link progressFor}. */
export interface ProgressOptions {
  /** Whether people want to see it on a terminal. @default true */
  readonly isWanted?: boolean;
  /** Where lines go if `stream` is not a terminal. @default nowhere */
  readonly writeLine?: ((line: string) => void) | undefined;
  /** @default the real clock */
  readonly clock?: Clock;
}

/** Progress on a terminal: one line that goes away. Elsewhere a line for each step, with its time, if somebody wants that. */
export function progressFor(stream: NodeJS.WriteStream, options: ProgressOptions = {}): Progress {
  const { isWanted = true, writeLine, clock = systemClock } = options;
  // A terminal that does not know its width would have the spinner clear lines without end.
  const isTerminal = stream.isTTY === true && stream.columns > 0;
  if (isTerminal) return isWanted ? spinnerOn(stream, clock) : NO_PROGRESS;
  return writeLine === undefined ? NO_PROGRESS : progressLines(writeLine, clock);
}

/** A line for each step with the seconds since the first, and again while a step goes on for long. */
export function progressLines(writeLine: (line: string) => void, clock: Clock): Progress {
  const startedAtMs = clock.now();
  let step = '';
  let stepAtMs = startedAtMs;
  let timer: Timer | undefined;
  const write = (text: string): void => writeLine(`${secondsSince(startedAtMs, clock).padStart(6)} s  ${text}`);
  const waitLonger = (): void => {
    timer = clock.setTimer(
      () => {
        write(`still ${step}, ${secondsSince(stepAtMs, clock)} s`);
        waitLonger();
      },
      STILL_EVERY_MS,
      { hold: false },
    );
  };
  const stop = (): void => timer?.cancel();
  return {
    say(text) {
      // How far a step has come changes often: the step is what counts in a log.
      const next = shownText(text, { mostChars: MAX_CHARACTERS }).replace(/ \(\d+ %\)$/, '');
      if (next === step) return;
      step = next;
      stepAtMs = clock.now();
      stop();
      write(step);
      waitLonger();
    },
    stop() {
      stop();
      step = '';
    },
  };
}

function spinnerOn(stream: NodeJS.WriteStream, clock: Clock): Progress {
  // The terminal's input is not ours to take: it may be meant for the guest.
  const spinner = ora({ stream, discardStdin: false, hideCursor: true });
  let step = '';
  let text = '';
  let stepAtMs = 0;
  let timer: Timer | undefined;
  const show = (): void => {
    const isLong = clock.now() - stepAtMs >= SHORT_STEP_MS;
    spinner.text = isLong ? `still ${text}, ${secondsSince(stepAtMs, clock)} s` : text;
  };
  const tick = (): void => {
    timer = clock.setTimer(
      () => {
        show();
        tick();
      },
      1_000,
      { hold: false },
    );
  };
  return {
    say(next) {
      text = shownText(next, { mostChars: MAX_CHARACTERS });
      const nextStep = text.replace(/ \(\d+ %\)$/, '');
      if (nextStep !== step) stepAtMs = clock.now();
      step = nextStep;
      show();
      if (spinner.isSpinning) return;
      spinner.start();
      tick();
    },
    stop() {
      timer?.cancel();
      spinner.stop();
    },
  };
}

function secondsSince(startMs: number, clock: Clock): string {
  return String(Math.round((clock.now() - startMs) / 1_000));
}
