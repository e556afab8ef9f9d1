import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { TurnDetector } from './turn-detector.ts';

describe('TurnDetector', () => {
  test('does not take promises for a turn of the event loop', async () => {
    const detector = new TurnDetector();
    for (let count = 0; count < 100; count += 1) await Promise.resolve();
    expect(detector.stop()).toBe(false);
  });

  test('notices that a file was read', async () => {
    const detector = new TurnDetector();
    await readFile(new URL(import.meta.url));
    expect(detector.stop()).toBe(true);
  });
});
