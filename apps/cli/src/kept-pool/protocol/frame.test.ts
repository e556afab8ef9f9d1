import { describe, expect, test } from 'vitest';
import { dataFrame, FrameReader, messageFrame, ProtocolViolation, parseMessage } from './frame.ts';
import { MOST_FRAME_BYTES } from './limits.ts';

describe('frames', () => {
  const sent = Buffer.concat([
    messageFrame({ type: 'hello', protocol: 1 }),
    dataFrame(7, Buffer.from('out')),
    dataFrame(8, Buffer.alloc(0), 'errorData'),
    messageFrame({ text: 'ü€' }),
  ]);

  test.each([1, 2, 3, 7, 1_000])('arrive whole in pieces of %i bytes', (pieceBytes) => {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < sent.length; at += pieceBytes)
      frames.push(...reader.push(sent.subarray(at, at + pieceBytes)));
    expect(frames).toEqual([
      { kind: 'message', text: '{"type":"hello","protocol":1}' },
      { kind: 'data', call: 7, bytes: Buffer.from('out') },
      { kind: 'errorData', call: 8, bytes: Buffer.alloc(0) },
      { kind: 'message', text: '{"text":"ü€"}' },
    ]);
    expect(reader.isBetweenFrames).toBe(true);
  });

  test('that are too long are refused by their head alone', () => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(0xffff_ffff);
    expect(() => [...new FrameReader().push(head)]).toThrow(ProtocolViolation);
    expect(() => messageFrame({ text: 'x'.repeat(MOST_FRAME_BYTES) })).toThrow(RangeError);
  });

  test.each([
    ['of a kind that there is not', Buffer.from([0, 0, 0, 0, 9])],
    ['of data without a call', Buffer.from([0, 0, 0, 1, 2, 0])],
  ])('%s are refused', (_what, bytes) => {
    expect(() => [...new FrameReader().push(bytes)]).toThrow(ProtocolViolation);
  });

  test.each(['', '{', '[]', 'null', '7', '"text"'])('with %j in them are no messages', (text) => {
    expect(() => parseMessage(text)).toThrow(ProtocolViolation);
  });
});
