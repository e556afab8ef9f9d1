import { describe, expect, test } from 'vitest';
import { failure, PING, scriptedLine } from './fixtures/scripted-line.ts';

describe('a drain', () => {
  test('resolves when the guest has read what was written, and sends no command', async () => {
    const line = scriptedLine();
    const given = new AbortController();
    const call = failure(line.channel.request(PING, { timeoutMs: 100, signal: given.signal }));
    await line.sync();
    await line.written();
    given.abort();
    await call;
    const drained = line.channel.drain({ timeoutMs: 100 });
    await line.answer('{"return": {}}\n');
    await line.sync();
    expect(await drained).toBeUndefined();
    expect(await line.written()).toBe('');
    void failure(line.channel.request(PING, { timeoutMs: 100 }));
    expect(await line.written()).toBe(`${PING}\n`);
  });

  test('asks for proof also of a guest that is in step', async () => {
    const line = scriptedLine();
    const call = line.channel.request(PING, { timeoutMs: 100 });
    await line.sync();
    await line.answer('{"return": {}}\n');
    await call;
    const drained = failure(line.channel.drain({ timeoutMs: 100 }));
    await line.clock.advance(100);
    expect(await drained).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE' });
  });

  test('is not fooled by a guest that answers what it has not read', async () => {
    const line = scriptedLine();
    const ids: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const drained = failure(line.channel.drain({ timeoutMs: 100 }));
      const id = Number(/"id":(\d+)/.exec(await line.written())?.[1]);
      for (const guess of [...ids.flatMap((seen) => [seen, seen + 1]), 0, 1]) {
        if (guess !== id) await line.answer(`\xff{"return": ${guess}}\n`);
      }
      await line.clock.advance(100);
      expect(await drained).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE' });
      ids.push(id);
    }
    expect(ids[1]).not.toBe(ids[0]! + 1);
  });
});
