import { connect } from 'node:net';
import { typeOfKey } from '../known-hosts/entry.ts';
import { packed, WireReader } from './wire.ts';

/** More keys than any server lets a client try. */
const MOST_KEYS = 64;
/** As much as OpenSSH's agent sends at most. */
const LONGEST_ANSWER_BYTES: number = 256 * 1_024;

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const FLAGS: Readonly<Record<string, number>> = { 'rsa-sha2-256': 2, 'rsa-sha2-512': 4 };

/** The keys and certificates that an agent holds, as they are sent to servers. @throws Error; the signal's reason */
export async function agentKeys(socket: string, signal: AbortSignal): Promise<readonly Buffer[]> {
  const answer = await ask(socket, Buffer.from([REQUEST_IDENTITIES]), IDENTITIES_ANSWER, signal);
  const count = Math.min(answer.uint32(), MOST_KEYS);
  const keys: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = Buffer.from(answer.bytes());
    answer.bytes();
    if (typeOfKey(key) !== undefined) keys.push(key);
  }
  return keys;
}

/** Has an agent sign. @param algorithm of the signature @returns the signature with its type @throws Error; the signal's reason */
export async function agentSignature(
  socket: string,
  key: Buffer,
  data: Buffer,
  algorithm: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(FLAGS[algorithm] ?? 0);
  const request = Buffer.concat([Buffer.from([SIGN_REQUEST]), packed(key), packed(data), flags]);
  return Buffer.from((await ask(socket, request, SIGN_RESPONSE, signal)).bytes());
}

/** One question on a connection of its own, so that an agent that hangs keeps nobody else. */
function ask(path: string, request: Buffer, expected: number, signal: AbortSignal): Promise<WireReader> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(path);
    let received: Buffer = Buffer.alloc(0);
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the agent hung up')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.byteLength < 5) return;
      const length = received.readUInt32BE(0);
      if (length === 0 || length > LONGEST_ANSWER_BYTES)
        return fail(new Error('the agent does not speak its protocol'));
      if (received.byteLength < 4 + length) return;
      if (received[4] !== expected) return fail(new Error('the agent refused'));
      const answer = new WireReader(received.subarray(5, 4 + length));
      settle(() => resolve(answer));
    });
    socket.write(packed(request));
  });
}
