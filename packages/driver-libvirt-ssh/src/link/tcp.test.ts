import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import type { Hop } from './hop.ts';
import { connectTcp, type Network } from './tcp.ts';

const HOP = { host: 'far', port: 22, addressFamily: 0, bindAddress: undefined } as unknown as Hop;

class Attempt extends EventEmitter {
  readonly address: string;
  isDestroyed = false;

  constructor(address: string) {
    super();
    this.address = address;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  fails(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code }));
  }
}

function world(...addresses: readonly string[]) {
  const clock = new VirtualClock();
  const attempts: Attempt[] = [];
  const network: Network = {
    lookup: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    connect: ({ host }) => {
      const attempt = new Attempt(host);
      attempts.push(attempt);
      return attempt as unknown as Socket;
    },
  };
  const abort = new AbortController();
  const connected = connectTcp(HOP, clock, abort.signal, network);
  connected.catch(() => {});
  const begun = async (count: number): Promise<void> => {
    await expect.poll(() => attempts.length).toBe(count);
  };
  return { clock, attempts, abort, connected, begun, addresses: () => attempts.map(({ address }) => address) };
}

describe('a host with several addresses', () => {
  test('is reached by the first one however late it answers, as long as the caller waits', async () => {
    const far = world('10.0.0.1', '10.0.0.2');
    await far.begun(1);
    await far.clock.advance(250);
    await far.begun(2);
    far.attempts[1]!.fails('EHOSTUNREACH');
    await far.clock.advance(15_000);
    far.attempts[0]!.emit('connect');
    expect(await far.connected).toBe(far.attempts[0]);
    expect(far.attempts.map(({ isDestroyed }) => isDestroyed)).toEqual([false, true]);
  });

  test('is reached by the next one beside the first, which is then given up', async () => {
    const far = world('10.0.0.1', '10.0.0.2', '10.0.0.3');
    await far.begun(1);
    await far.clock.advance(250);
    await far.begun(2);
    far.attempts[1]!.emit('connect');
    expect(await far.connected).toBe(far.attempts[1]);
    await far.clock.advance(10_000);
    expect(far.addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(far.attempts[0]!.isDestroyed).toBe(true);
  });

  test('is tried at the next address at once when one refuses, and by both families in turn', async () => {
    const far = world('::1', '::2', '10.0.0.1');
    await far.begun(1);
    far.attempts[0]!.fails('ECONNREFUSED');
    await far.begun(2);
    far.attempts[1]!.fails('ENETUNREACH');
    await far.begun(3);
    far.attempts[2]!.fails('EHOSTUNREACH');
    await expect(far.connected).rejects.toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      retryable: true,
      details: { problem: 'connection-refused' },
    });
    await expect(far.connected).rejects.toThrow('ECONNREFUSED, ENETUNREACH, EHOSTUNREACH');
    expect(far.addresses()).toEqual(['::1', '10.0.0.1', '::2']);
  });

  test('is given up when the caller does, also while its name is looked up', async () => {
    const far = world('10.0.0.1', '10.0.0.2');
    await far.begun(1);
    await far.clock.advance(250);
    await far.begun(2);
    far.abort.abort(new Error('enough'));
    await expect(far.connected).rejects.toThrow('enough');
    expect(far.attempts.every(({ isDestroyed }) => isDestroyed)).toBe(true);
    const network: Network = { lookup: () => new Promise(() => {}), connect: () => expect.fail('connected') };
    const abort = new AbortController();
    const asked = connectTcp(HOP, far.clock, abort.signal, network);
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  test('of which the name service knows none is told so', async () => {
    await expect(world().connected).rejects.toMatchObject({ details: { problem: 'network' } });
    const network: Network = {
      lookup: () => Promise.reject(Object.assign(new Error('x'), { code: 'EAI_AGAIN' })),
      connect: () => expect.fail('connected'),
    };
    const asked = connectTcp(HOP, new VirtualClock(), new AbortController().signal, network);
    await expect(asked).rejects.toMatchObject({ details: { problem: 'name-not-found' } });
  });
});
