import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { WarmvmError } from '@warmvm/core';
import { assetPath } from '../package-files.ts';

/** Debian's own Python: `python3-libvirt` is installed for that one. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = assetPath('python-peer.py');

/** python-libvirt in a process of its own, which times its calls itself. */
export interface PythonPeer extends AsyncDisposable {
  /** Such as `python-libvirt 9000000 on Python 3.11.2`. */
  readonly version: string;
  /** Makes calls one after the other. Resolves with their durations in milliseconds. */
  block(calls: number): Promise<readonly number[]>;
  /** Makes calls from so many threads over one connection. Resolves with how long all took, in milliseconds. */
  atOnce(calls: number, threads: number): Promise<number>;
}

/**
 * Starts the peer and connects it.
 * @param uri one that goes through a daemon, such as `test+unix:///default?socket=/run/...`
 * @throws WARMVM_HOST_UNREACHABLE with what Python said, when it or its libvirt module is missing; the signal's reason
 */
export async function startPythonPeer(uri: string, signal: AbortSignal): Promise<PythonPeer> {
  signal.throwIfAborted();
  await access(PYTHON).catch((cause) => {
    throw new WarmvmError('WARMVM_HOST_UNREACHABLE', `${PYTHON} is missing: install python3-libvirt`, { cause });
  });
  const child = spawn(PYTHON, [SCRIPT, uri], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  // A peer that has ended shows as the end of its output.
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const onAbort = (): void => void child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    signal.throwIfAborted();
    if (done === true) {
      await ended;
      throw new WarmvmError('WARMVM_HOST_UNREACHABLE', `python-libvirt ended (python3-libvirt needed): ${complaint}`);
    }
    return JSON.parse(value);
  };
  const dispose = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    signal.removeEventListener('abort', onAbort);
  };
  try {
    const { python, libvirt } = (await answer()) as { python: string; libvirt: number };
    return {
      version: `python-libvirt ${libvirt} on Python ${python}`,
      async block(calls) {
        child.stdin.write(`${calls} 1\n`);
        return ((await answer()) as { samplesNs: number[] }).samplesNs.map((sample) => sample / 1e6);
      },
      async atOnce(calls, threads) {
        child.stdin.write(`${calls} ${threads}\n`);
        return ((await answer()) as { durationNs: number }).durationNs / 1e6;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
