/** Where the program writes; injected, so that tests read what people would. */
export interface Output {
  /** Standard output: what was asked for. */
  readonly write: (text: string) => void;
  /** Standard error: complaints. */
  readonly writeError: (text: string) => void;
  /** Whether errors are told with their stacks. @default false */
  readonly debug?: boolean;
}
