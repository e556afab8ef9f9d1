import { VirtualClock } from '@warmvm/core/testing';
import { expect, test } from 'vitest';
import { progressFor, progressLines } from './progress.ts';

test('without a terminal each step is a line with its time, and one that goes on is said again', async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const progress = progressLines((line) => lines.push(line), clock);
  progress.say('uploading the image (0 %)');
  await clock.advance(2_000);
  progress.say('uploading the image (50 %)');
  progress.say('booting the image');
  await clock.advance(62_000);
  progress.say('waiting for its guest\u001b[2J agent');
  progress.stop();
  await clock.advance(600_000);
  expect(lines).toEqual([
    '     0 s  uploading the image',
    '     2 s  booting the image',
    '    32 s  still booting the image, 30 s',
    '    62 s  still booting the image, 60 s',
    '    64 s  waiting for its guest agent',
  ]);
});

test('without a terminal nothing is said unless somebody wants lines', () => {
  const lines: string[] = [];
  const stream = { isTTY: false } as NodeJS.WriteStream;
  progressFor(stream).say('booting');
  expect(lines).toEqual([]);
  progressFor(stream, { writeLine: (line) => lines.push(line) }).say('booting');
  expect(lines).toEqual(['     0 s  booting']);
});
