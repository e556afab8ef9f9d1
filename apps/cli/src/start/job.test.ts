import { systemClock } from '@warmvm/core';
import { createFakeDriver, createFakeHost, defaultParts, type FakeParts } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { fakeScene } from './fake-scene.ts';
import { Job, type Say } from './job.ts';
import { MARKER_PATHS } from './marker.ts';
import type { Scene } from './scene.ts';

const quiet: Say = () => {};

function makeJob(scene: Scene, signal: AbortSignal = new AbortController().signal): Job {
  return new Job(scene, { clock: systemClock, signal, samples: 2 });
}

/** The fake, with one piece of its driver made wrong. */
function sceneWith(parts: Partial<FakeParts>): Scene {
  const host = createFakeHost();
  const driver = createFakeDriver({ host, parts });
  return { ...fakeScene(), driver, [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose]() };
}

describe('the main job on the fake', () => {
  test('goes through all steps, measures each figure, proves what it promises, and leaves nothing', async () => {
    await using scene = fakeScene();
    const job = makeJob(scene);
    const said: string[] = [];
    const say: Say = (text) => void said.push(text);
    expect(await job.fill(say)).toMatch(/^3 machines ready .* after the golden snapshot, .* from nothing$/);
    expect(await job.dirty(say)).toContain('dirtied in memory and on disk, released and reset');
    expect(await job.prove()).toMatch(/is at generation 2 \(was 1\); no marker in memory, none on disk$/);
    expect(await job.cycle(say)).toMatch(/^2 cycles; acquire p50 .*, reset p50 /);
    expect(await job.detect(say)).toMatch(/^2 machines killed; known p50 .* later, none lent$/);
    expect(await job.fillFive(say)).toMatch(/^5 machines ready in /);
    await job.close();

    expect(job.markerAbsent).toBe(true);
    expect(job.killedEvicted).toBe(true);
    expect(said).toContain('taking the snapshot of its memory and disk');
    expect(said).toContain('2 of 2');
    const counts = Object.entries(job.samples.report()).map(([id, { samplesMs }]) => [id, samplesMs.length]);
    expect(Object.fromEntries(counts)).toMatchObject({
      'cold-boot': 1,
      'init-cold': 1,
      init: 1,
      'acquire-5': 1,
      exec: 2,
      reset: 2,
      detect: 2,
      cycle: 2,
    });
    expect(await scene.leftBehind()).toEqual([]);
  });

  test('notices a reset that keeps what a tenant wrote', async () => {
    const [marker] = MARKER_PATHS;
    await using scene = sceneWith({
      revert(context) {
        const world = defaultParts.revert(context);
        if (context.present !== null) world.setText(marker, 'kept');
        return world;
      },
    });
    const job = makeJob(scene);
    await job.fill(quiet);
    await job.dirty(quiet);
    expect(await job.prove()).toContain(`still shows ${marker}: the reset did not work`);
    expect(job.markerAbsent).toBe(false);
    await job.close();
  });

  test('tells of what is still there', async () => {
    await using scene = fakeScene();
    const job = makeJob(scene);
    await job.fill(quiet);
    expect(await scene.leftBehind()).toContain('3 machines');
    await job.close();
    expect(await scene.leftBehind()).toEqual([]);
  });

  test('ends with the reason of an interruption, and cleans up all the same', async () => {
    await using scene = fakeScene();
    const abort = new AbortController();
    const reason = new Error('interrupted');
    const job = makeJob(scene, abort.signal);
    await job.fill(quiet);
    const cycling = job.cycle(() => abort.abort(reason));
    await expect(cycling).rejects.toBe(reason);
    await job.close();
    expect(await scene.leftBehind()).toEqual([]);
  });

  test('refuses to measure before the pool is filled', async () => {
    await using scene = fakeScene();
    await expect(makeJob(scene).cycle(quiet)).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
  });

  test('closes when nothing was opened', async () => {
    await using scene = fakeScene();
    expect(await makeJob(scene).close()).toBe('nothing was open');
  });
});
