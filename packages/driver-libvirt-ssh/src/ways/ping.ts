import type { Duplex } from 'node:stream';

/** A packet of the keepalive program: length, program, version, procedure, type, serial, status. */
function keepalive(procedure: number): Buffer {
  const packet = Buffer.alloc(28);
  for (const [index, word] of [28, 0x6b656570, 1, procedure, 2, 0, 0].entries()) packet.writeUInt32BE(word, index * 4);
  return packet;
}

const PING = keepalive(1);
const PONG = keepalive(2);

/**
 * Resolves when a libvirt daemon at the other end has answered a ping, which it does before any authentication. What follows the
 * answer stays in the stream.
 * @throws Error when the stream ends before, or something else answers; the signal's reason
 */
export function answersPing(stream: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (finish: () => void): void => {
      stream.off('readable', onReadable).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    const onClose = (): void => settle(() => reject(new Error('the stream ended before a daemon answered')));
    const onReadable = (): void => {
      for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) {
        received = Buffer.concat([received, chunk]);
      }
      if (received.byteLength < PONG.byteLength) return;
      const rest = received.subarray(PONG.byteLength);
      if (!received.subarray(0, PONG.byteLength).equals(PONG)) {
        settle(() => reject(new Error('what answered is no libvirt daemon')));
      } else {
        settle(() => {
          if (rest.byteLength > 0) stream.unshift(rest);
          resolve();
        });
      }
    };
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('readable', onReadable).on('close', onClose);
    stream.write(PING);
    if (signal.aborted) onAbort();
  });
}
