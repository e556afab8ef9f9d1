import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { signalFilter } from './plan.mjs';

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * @typedef {object} ChildEnd
 * @property {number | null} exitCode
 * @property {NodeJS.Signals | null} signal what ended the child, if a signal did
 * @property {NodeJS.Signals | null} interruptedBy the last signal that this process was sent meanwhile
 * @property {string} output what the child printed, when it was captured
 */

/**
 * Runs a child to its end. It leads a session of its own, so that a key press in the terminal does not reach it behind
 * our back: every signal comes from here, once, and the child is waited for however long its clean-up takes.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: Record<string, string>, capture: boolean }} options
 * @returns {Promise<ChildEnd>}
 */
export function runChild(command, args, { cwd, env, capture }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    const isNew = signalFilter();
    /** @type {NodeJS.Signals | null} */
    let interruptedBy = null;
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      interruptedBy = signal;
      if (isNew(signal, performance.now())) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const stopForwarding = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-65_536);
      });
    }
    child.on('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.on('close', (exitCode, signal) => {
      stopForwarding();
      resolve({ exitCode, signal, interruptedBy, output });
    });
  });
}

/**
 * Ends this process the way the child ended.
 * @param {Pick<ChildEnd, 'exitCode' | 'signal'>} end
 */
export function endLike({ exitCode, signal }) {
  if (signal === null) {
    process.exitCode = exitCode ?? 1;
    return;
  }
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
  process.kill(process.pid, signal);
}
