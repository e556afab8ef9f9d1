import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FramerEvent, ReplyFramer } from './reply-framer.ts';

function feed(framer: ReplyFramer, bytes: string, pieceBytes: number = bytes.length): FramerEvent {
  const buffer = Buffer.from(bytes, 'latin1');
  for (let offset = 0; offset < buffer.length; offset += pieceBytes) {
    const event = framer.push(buffer.subarray(offset, offset + pieceBytes));
    if (event.kind !== 'more') return event;
  }
  return { kind: 'more' };
}

describe('waiting for an answer', () => {
  test('a line is the answer, whatever pieces it comes in', () => {
    for (const pieceBytes of [1, 2, 3, 7, 100]) {
      const framer = new ReplyFramer(1024);
      framer.expectReply();
      expect(feed(framer, '{"return": {}}\n', pieceBytes)).toEqual({
        kind: 'reply',
        text: '{"return": {}}',
        surplus: false,
      });
    }
  });

  test('blank lines are passed over', () => {
    const framer = new ReplyFramer(1024);
    framer.expectReply();
    expect(feed(framer, '\n\r\n{}\n\n')).toEqual({ kind: 'reply', text: '{}', surplus: false });
  });

  test('bytes after the line are called surplus', () => {
    const framer = new ReplyFramer(1024);
    framer.expectReply();
    expect(feed(framer, '{}\n{}\n')).toEqual({ kind: 'reply', text: '{}', surplus: true });
  });

  test('a line over the bound is too long and nothing of it is kept', () => {
    const framer = new ReplyFramer(1024);
    framer.expectReply();
    expect(feed(framer, 'x'.repeat(1025), 100)).toEqual({ kind: 'too-long', limitBytes: 1024 });
    expect(framer.reservedBytes).toBeLessThanOrEqual(4096 + 256);
  });

  test.each([1, 2, 3, 1000])('strings are cut at their bound, in pieces of %i bytes', (pieceBytes) => {
    const framer = new ReplyFramer(1024);
    framer.expectReply({ maxBytes: 100, maxStringBytes: 8 });
    const answer = `{"a":"12345678","b":"${'x'.repeat(5000)}","c":"1234567\\"${'y'.repeat(50)}","d":"","e":[1]}\n`;
    expect(feed(framer, answer, pieceBytes)).toEqual({
      kind: 'reply',
      text: '{"a":"12345678","b":"xxxxxxxx","c":"1234567\\","d":"","e":[1]}',
      surplus: false,
    });
    framer.expectReply({ maxBytes: 10, maxStringBytes: 8 });
    expect(feed(framer, '{"a":"1"}x\n', pieceBytes)).toMatchObject({ kind: 'reply' });
    framer.expectReply({ maxBytes: 10, maxStringBytes: 8 });
    expect(feed(framer, '{"a":"12"}x\n', pieceBytes)).toEqual({ kind: 'too-long', limitBytes: 10 });
  });

  test('a line of exactly the bound passes', () => {
    const framer = new ReplyFramer(1024);
    framer.expectReply();
    expect(feed(framer, `${'x'.repeat(1024)}\n`, 100)).toMatchObject({ kind: 'reply' });
  });
});

describe('waiting for nothing', () => {
  test('bytes are unasked for, white space is not worth a word', () => {
    const framer = new ReplyFramer(1024);
    expect(feed(framer, '\n ')).toEqual({ kind: 'more' });
    expect(feed(framer, '{}\n')).toEqual({ kind: 'unasked' });
  });

  test('they are counted until an answer comes that was waited for', () => {
    const framer = new ReplyFramer(1024);
    feed(framer, 'abc\n');
    expect(framer.bytesSinceReply).toBe(4);
    framer.expectReply();
    feed(framer, '{}\n');
    expect(framer.bytesSinceReply).toBe(0);
  });
});

describe('getting in step', () => {
  const late = '{"error": {}}\n{"return": 41}\n\xff{"return": 41}\n';

  test('late answers and answers to other syncs are passed over, whatever pieces they come in', () => {
    for (const pieceBytes of [1, 2, 5, 1000]) {
      const framer = new ReplyFramer(1024);
      framer.expectSync(42);
      expect(feed(framer, `${late}\xff{"return": 42}\n`, pieceBytes)).toEqual({ kind: 'synced', surplus: false });
    }
  });

  test('the right id will do without the delimiter, on a line of its own', () => {
    const framer = new ReplyFramer(1024);
    framer.expectSync(42);
    expect(feed(framer, '{"ret{"return": 42}\n{"return": 421}\n{"return": 42, "a": 1}\n')).toEqual({ kind: 'more' });
    expect(feed(framer, '{"return": 42}\n')).toEqual({ kind: 'synced', surplus: false });
  });

  test('a refusal of the command is told apart from other refusals', () => {
    const refusal = (name: string): string =>
      `{"error": {"class": "CommandNotFound", "desc": "The command ${name} has not been found"}}\n`;
    const framer = new ReplyFramer(1024);
    framer.expectSync(42);
    expect(feed(framer, refusal('guest-ping'))).toEqual({ kind: 'more' });
    expect(feed(framer, refusal('guest-sync-delimited'), 7)).toEqual({ kind: 'sync-refused' });
  });

  test('a delimiter in the middle of a line begins anew', () => {
    const framer = new ReplyFramer(1024);
    framer.expectSync(42);
    expect(feed(framer, '\xff{"ret\xff{"return": 42}\n', 3)).toEqual({ kind: 'synced', surplus: false });
  });

  test('garbage after a delimiter is passed over, short or long', () => {
    const framer = new ReplyFramer(1024);
    framer.expectSync(42);
    expect(feed(framer, `\xffnull\n\xff{\n\xff${'x'.repeat(5000)}\n\xff{"return": 42}\n`, 50)).toMatchObject({
      kind: 'synced',
    });
    expect(framer.reservedBytes).toBeLessThanOrEqual(8192);
  });

  test('bytes after the answer are called surplus', () => {
    const framer = new ReplyFramer(1024);
    framer.expectSync(42);
    expect(feed(framer, '\xff{"return": 42}\n{}')).toEqual({ kind: 'synced', surplus: true });
  });

  test('random bytes never do more than wait, and never take more memory than the bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 30 }), fc.boolean(), (chunks, sync) => {
        const framer = new ReplyFramer(1024);
        if (sync) framer.expectSync(42);
        else framer.expectReply();
        for (const chunk of chunks) {
          const event = framer.push(chunk);
          expect(event.kind).not.toBe('synced');
          expect(framer.reservedBytes).toBeLessThanOrEqual(2 * 4096);
        }
      }),
    );
  });
});
