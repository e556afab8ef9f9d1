import { describe, expect, test } from 'vitest';
import { noisyDurations } from '../fixtures/noise.ts';
import { oneBlock, ratioInterval } from './bootstrap.ts';

const left = noisyDurations(1, { count: 60, middle: 100 });
const right = noisyDurations(2, { count: 60, middle: 50 });

describe('ratioInterval', () => {
  test('holds the true ratio, and is the same every time', () => {
    const interval = ratioInterval(oneBlock(left), oneBlock(right))!;
    expect(interval.low).toBeLessThan(2);
    expect(interval.high).toBeGreaterThan(2);
    expect(ratioInterval(oneBlock(left), oneBlock(right))).toEqual(interval);
  });

  test('is wider the surer it must be', () => {
    const [usual, sure] = [0.95, 0.99].map((confidence) => ratioInterval(oneBlock(left), oneBlock(right), confidence)!);
    expect(sure!.low).toBeLessThan(usual!.low);
    expect(sure!.high).toBeGreaterThan(usual!.high);
  });

  test('is wider where few processes took the samples than where many did', () => {
    const blocks = (count: number) => Array.from({ length: count }, () => 60 / count);
    const [few, many] = [3, 20].map(
      (count) => ratioInterval({ samples: left, blocks: blocks(count) }, { samples: right, blocks: blocks(count) })!,
    );
    expect(few!.high / few!.low).toBeGreaterThan(many!.high / many!.low);
  });

  test('holds the true ratio in at least nine of ten pairs of few processes that differ', () => {
    const sampling = (seed: number) => ({
      samples: [0, 1, 2, 3].flatMap((block) =>
        noisyDurations(seed * 10 + block, { count: 50, middle: 1, process: 0.1 }),
      ),
      blocks: [50, 50, 50, 50],
    });
    const held = Array.from({ length: 50 }, (_, index) =>
      ratioInterval(sampling(2 * index + 1), sampling(2 * index + 2)),
    ).filter((interval) => interval !== null && interval.low <= 1 && interval.high >= 1);
    expect(held.length).toBeGreaterThanOrEqual(45);
  });

  test('says nothing of three samples', () => {
    expect(ratioInterval(oneBlock([1, 2, 3]), oneBlock(right))).toBeNull();
  });
});
