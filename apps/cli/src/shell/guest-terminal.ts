import { type Guest, WarmvmError } from '@warmvm/core';
import { encodeTyped, encodeWindow, TelnetDecoder } from './telnet.ts';

/** Size of a terminal's window, in characters. */
export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** How a shell with a terminal is had in a guest: the guest agent alone has only pipes. */
export interface GuestTerminal {
  readonly command: readonly string[];
  readonly decode: (bytes: Uint8Array) => Uint8Array;
  readonly encode: (bytes: Uint8Array) => Uint8Array;
  /** What tells the guest that the window has another size; undefined where it cannot be told. */
  readonly resize: ((size: WindowSize) => Uint8Array) | undefined;
}

/** What the shell is to be like. */
export interface ShellRequest {
  readonly program: string;
  readonly workingDirectory: string | undefined;
  readonly terminal: string;
  readonly size: WindowSize;
}

const LOGIN = '/tmp/.warmvm-shell';
const EXIT_FILE = '/tmp/.warmvm-shell-exit';
const ASK = `
if [ ! -e /dev/pts/ptmx ]; then mkdir -p /dev/pts && mount -t devpts devpts /dev/pts; fi 2>/dev/null
if command -v script >/dev/null; then echo script
elif busybox telnetd --help >/dev/null 2>&1 && [ -e /dev/pts/ptmx ]; then echo telnetd
else echo none; fi`;

/**
 * Prepares a shell with a terminal: through `script` of util-linux, else through the `telnetd` of busybox, which makes a terminal and
 * speaks on its own standard input and output.
 * @throws WARMVM_NOT_SUPPORTED where the guest has neither
 */
export async function openGuestTerminal(
  guest: Guest,
  request: ShellRequest,
  signal: AbortSignal,
): Promise<GuestTerminal> {
  const { stdout } = await guest.exec(['sh', '-c', ASK], { signal });
  const way = new TextDecoder().decode(stdout).trim();
  if (way !== 'script' && way !== 'telnetd') {
    throw new WarmvmError(
      'WARMVM_NOT_SUPPORTED',
      'the guest has no way to make a terminal: it needs script (util-linux) or busybox with telnetd. Use warmvm run -i instead',
    );
  }
  await guest.writeFile(LOGIN, loginScript(request), { signal });
  await guest.exec(['chmod', '700', LOGIN], { signal });
  if (way === 'script') {
    const same = (bytes: Uint8Array): Uint8Array => bytes;
    return { command: ['script', '-qfc', LOGIN, '/dev/null'], decode: same, encode: same, resize: undefined };
  }
  const decoder = new TelnetDecoder();
  return {
    command: ['busybox', 'telnetd', '-i', '-l', LOGIN],
    decode: (bytes) => decoder.decode(bytes),
    encode: encodeTyped,
    resize: encodeWindow,
  };
}

/** The exit code of the shell; null when it left none. */
export async function readShellExit(guest: Guest, signal: AbortSignal): Promise<number | null> {
  const content = await guest.readFile(EXIT_FILE, { signal, maxBytes: 16 }).catch(() => undefined);
  const text = new TextDecoder().decode(content).trim();
  return /^\d{1,3}$/.test(text) ? Number(text) : null;
}

function loginScript({ program, workingDirectory, terminal, size }: ShellRequest): string {
  return [
    '#!/bin/sh',
    `stty rows ${size.rows} cols ${size.columns} 2>/dev/null`,
    `export TERM=${quoted(terminal)} HOME="\${HOME:-/}"`,
    `cd ${quoted(workingDirectory ?? '/')} || exit`,
    quoted(program),
    `echo $? > ${EXIT_FILE}`,
    '',
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
