/** Tells a person at a terminal what is going on, on one line that goes away. */
export interface Progress {
  readonly say: (text: string) => void;
  /** Takes the line away; the next word brings it back. */
  readonly stop: () => void;
}

/** Says nothing. */
export const NO_PROGRESS: Progress = { say: () => {}, stop: () => {} };
