import { spawn } from 'node:child_process';
import xterm from '@xterm/headless';

/** What a program left on a terminal. */
export interface Screen {
  /** Every line, those that have scrolled away included, as a person would see them. */
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** A program on a terminal of its own, looked at through a terminal emulator. */
export interface TerminalRun extends AsyncDisposable {
  /** Resolves when a line on the screen matches. */
  shows(pattern: RegExp): Promise<void>;
  /** What a person types. */
  type(text: string): void;
  ended(): Promise<Screen>;
}

/** Runs a command line of a shell on a terminal; `script` of util-linux makes one without a library. */
export function runOnTerminal(command: string, columns: number): TerminalRun {
  const rows = 40;
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 5_000, allowProposedApi: true });
  const set = `stty cols ${columns} rows ${rows}; ${command}`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', set, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', CI: '' },
  });
  const waiting = new Set<() => void>();
  child.stdout.on('data', (bytes: Buffer) => {
    terminal.write(bytes, () => {
      for (const look of waiting) look();
    });
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const lines = (): readonly string[] => {
    const { active } = terminal.buffer;
    const all = Array.from({ length: active.length }, (_, row) => active.getLine(row)!.translateToString(true));
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  };
  return {
    async shows(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (lines().some((line) => pattern.test(line))) resolve();
      };
      waiting.add(look);
      look();
      const early = exit.then(() => reject(new Error(`ended without showing ${pattern}:\n${lines().join('\n')}`)));
      await Promise.race([promise, early]).finally(() => waiting.delete(look));
    },
    type(text) {
      child.stdin.write(text);
    },
    async ended() {
      const exitCode = await exit;
      await new Promise<void>((resolve) => terminal.write('', resolve));
      return { lines: lines(), exitCode };
    },
    async [Symbol.asyncDispose]() {
      // The program sees its terminal go.
      if (child.exitCode === null) child.kill();
      await exit.catch(() => {});
    },
  };
}
