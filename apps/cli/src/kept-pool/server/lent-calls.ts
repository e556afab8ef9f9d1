import type { Guest } from '@warmvm/core';
import type { ExecFacts, Request } from '../protocol/messages.ts';
import { InputQueue } from './input-queue.ts';
import type { Wire } from './wire.ts';

type GuestRequest = Extract<Request, { type: 'ping' | 'time' | 'exec' | 'read' | 'write' }>;

/** Calls of one client on the guest of its machine: one at a time, with the data that belongs to it. */
export class LentCalls {
  readonly #wire: Wire;
  #input: { readonly call: number; readonly queue: InputQueue } | undefined;
  #isBusy = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Takes data that a client sent; false where it was not allowed to. What comes for a call that has ended was under way, and is dropped. */
  takeData(call: number, bytes: Uint8Array): boolean {
    return this.#input?.call !== call || this.#input.queue.push(bytes);
  }

  endInput(call: number, error?: Error): void {
    if (this.#input?.call === call) this.#input.queue.end(error);
  }

  /** @throws what the guest throws; Error when another call is under way */
  async run(guest: Guest, request: GuestRequest, signal: AbortSignal): Promise<unknown> {
    if (this.#isBusy) throw new Error('one call on a machine at a time: another is under way');
    this.#isBusy = true;
    const giveUp = (): void => this.#input?.queue.end(new Error('the call was given up'));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await this.#run(guest, request, signal);
    } finally {
      signal.removeEventListener('abort', giveUp);
      giveUp();
      this.#input = undefined;
      this.#isBusy = false;
    }
  }

  async #run(guest: Guest, request: GuestRequest, signal: AbortSignal): Promise<unknown> {
    switch (request.type) {
      case 'ping':
        await guest.ping({ signal });
        return null;
      case 'time':
        return guest.timeMs({ signal });
      case 'exec':
        return this.#exec(guest, request, signal);
      case 'read': {
        const { call, path, maxBytes } = request;
        const content = await guest.readFile(path, { signal, ...(maxBytes === undefined ? {} : { maxBytes }) });
        await this.#wire.sendData(call, content, 'data', signal);
        return content.byteLength;
      }
      case 'write': {
        const content = await this.#receive(request);
        await guest.writeFile(request.path, content, { append: request.append, signal });
        return null;
      }
    }
  }

  async #exec(guest: Guest, request: Extract<Request, { type: 'exec' }>, signal: AbortSignal): Promise<ExecFacts> {
    const { call, command, environment, workingDirectory, timeoutMs, maxOutputBytes, hasInput, isStreamed } = request;
    const send = (bytes: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> =>
      this.#wire.sendData(call, bytes, stream === 'stdout' ? 'data' : 'errorData', signal);
    const stdin = hasInput
      ? this.#expect(call, (sizeBytes) => this.#wire.send({ type: 'credit', call, sizeBytes }))
      : undefined;
    const result = await guest.exec(command, {
      environment,
      signal,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
      ...(isStreamed ? { onOutput: send } : {}),
      ...(stdin === undefined ? {} : { stdin }),
    });
    await send(result.stdout, 'stdout');
    await send(result.stderr, 'stderr');
    const { exitCode, signal: endedBy, stdoutTruncated, stderrTruncated } = result;
    return { exitCode, signal: endedBy, stdoutTruncated, stderrTruncated };
  }

  async #receive({ call, sizeBytes }: Extract<Request, { type: 'write' }>): Promise<Uint8Array> {
    const content = Buffer.alloc(sizeBytes);
    let filled = 0;
    // Without credit: what the request announced is all that may come.
    const queue = this.#expect(call, () => {}, sizeBytes);
    if (sizeBytes > 0) {
      for await (const piece of queue) {
        if (filled + piece.byteLength > sizeBytes) throw new Error('more content than was announced');
        content.set(piece, filled);
        filled += piece.byteLength;
        if (filled === sizeBytes) break;
      }
    }
    if (filled < sizeBytes) throw new Error(`${filled} bytes of content came where ${sizeBytes} were announced`);
    return content;
  }

  #expect(call: number, onTaken: (sizeBytes: number) => void, allowedBytes?: number): InputQueue {
    const queue = new InputQueue(onTaken, allowedBytes);
    this.#input = { call, queue };
    return queue;
  }
}
