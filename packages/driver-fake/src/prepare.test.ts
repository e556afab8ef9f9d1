import type { PrepareProgress } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createRig, owner, rejection } from './fixtures/rig.ts';
import { fakeImage } from './index.ts';

describe('prepare', () => {
  test('takes exactly the scripted time and tells its steps in order', async () => {
    const rig = createRig({ latency: { prepareMs: 100 } });
    const startedMs = rig.clock.now();
    const steps: string[] = [];
    const onProgress = ({ step }: PrepareProgress): number => steps.push(`${step} ${rig.clock.now() - startedMs}`);
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner, onProgress }));
    expect(golden).toEqual({ digest: fakeImage().digest, host: rig.host.name, image: fakeImage() });
    expect(steps).toEqual(['boot 0', 'agent 70', 'warm-up 80', 'quiesce 90', 'snapshot 95']);
    expect(rig.clock.now() - startedMs).toBe(100);
  });

  test('makes one golden snapshot per digest, however many ask at once', async () => {
    const rig = createRig();
    const jobs = [1, 2, 3].map(() => rig.driver.prepare(fakeImage(), { owner }));
    const goldens = await rig.run(Promise.all(jobs));
    expect(new Set(goldens).size).toBe(1);
    expect(rig.host.objects().goldens).toBe(1);
  });

  test('reuses what is there, and says so', async () => {
    const rig = createRig();
    const first = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const steps: string[] = [];
    const again = rig.driver.prepare(fakeImage(), { owner, onProgress: ({ step }) => steps.push(step) });
    expect(await again).toEqual(first);
    expect(steps).toEqual(['reuse']);
    expect(rig.host.objects().goldens).toBe(1);
  });

  test('goes on for the others when one caller leaves', async () => {
    const rig = createRig();
    const controller = new AbortController();
    const leaving = rejection(rig.driver.prepare(fakeImage(), { owner, signal: controller.signal }));
    const staying = rig.driver.prepare(fakeImage(), { owner });
    await rig.clock.advance(10);
    controller.abort('enough');
    expect(await leaving).toBe('enough');
    expect(rig.host.objects().goldens).toBe(1);
    expect((await rig.run(staying)).digest).toBe(fakeImage().digest);
  });

  test.each([0, 1, 29, 33, 39])('given up by its last caller after %i ms, leaves nothing', async (afterMs) => {
    const rig = createRig({ latency: { prepareMs: 40 } });
    const controllers = [new AbortController(), new AbortController()];
    const leaving = controllers.map(({ signal }) => rejection(rig.driver.prepare(fakeImage(), { owner, signal })));
    await rig.clock.advance(afterMs);
    const counts = controllers.map(async (controller, index) => {
      controller.abort(index);
      expect(await leaving[index]).toBe(index);
      return rig.host.objects().total;
    });
    expect((await Promise.all(counts)).at(-1)).toBe(0);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('can be started anew after it was given up', async () => {
    const rig = createRig();
    const controller = new AbortController();
    const leaving = rejection(rig.driver.prepare(fakeImage(), { owner, signal: controller.signal }));
    await rig.clock.advance(5);
    controller.abort();
    await leaving;
    expect((await rig.run(rig.driver.prepare(fakeImage(), { owner }))).host).toBe(rig.host.name);
  });

  test.each(['agent', 'warm-up', 'quiesce'] as const)(
    'rejects with GOLDEN_INVALID when the guest fails at %s',
    async (stage) => {
      const rig = createRig({ faults: () => ({ stage, reject: new Error('no answer') }) });
      expect(await rejection(rig.run(rig.driver.prepare(fakeImage(), { owner })))).toMatchObject({
        code: 'WARMVM_GOLDEN_INVALID',
        details: { step: stage },
        cause: new Error('no answer'),
      });
      expect(rig.host.objects().total).toBe(0);
    },
  );

  test('says that the host failed when the hypervisor did', async () => {
    const rig = createRig({ faults: () => ({ stage: 'boot', reject: new Error('no space') }) });
    expect(await rejection(rig.run(rig.driver.prepare(fakeImage(), { owner })))).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: new Error('no space'),
    });
  });

  test.each([
    ['name', { name: 'two words' }],
    ['digest', { digest: 'sha256:short' }],
    ['memoryBytes', { memoryBytes: 0 }],
    ['virtualCpus', { virtualCpus: 1.5 }],
    ['boot.diskBytes', { boot: { ...fakeImage().boot, diskBytes: -1 } }],
  ] as const)('refuses an image with a bad %s', async (field, overrides) => {
    const rig = createRig();
    expect(await rejection(rig.driver.prepare(fakeImage(overrides), { owner }))).toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      details: { field },
    });
  });

  test('refuses an image that cannot prove its renewal, unless told otherwise', async () => {
    const { renewal: _, ...image } = fakeImage();
    const strict = createRig();
    expect(await rejection(strict.driver.prepare(image, { owner }))).toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
    const lax = createRig({ acceptUnrenewable: true });
    const machine = await lax.fork(image);
    expect(await lax.text(machine, 'hostname')).toBe('golden');
  });

  test('is not spoiled by a listener that throws', async () => {
    const rig = createRig();
    const onProgress = (): void => {
      throw new Error('listener');
    };
    expect((await rig.run(rig.driver.prepare(fakeImage(), { owner, onProgress }))).host).toBe(rig.host.name);
  });

  test('marks the golden snapshot from the beginning, and gives its digest only when it is complete', async () => {
    const rig = createRig();
    const other = createRig({ on: rig, latency: { listMs: 0 } });
    const preparing = rig.driver.prepare(fakeImage(), { owner });
    await rig.clock.advance(10);
    const record = { kind: 'golden', owner, generation: 0 };
    expect(await other.driver.list(owner)).toMatchObject([{ ...record, digest: null, state: 'starting' }]);
    await rig.run(preparing);
    expect(await other.driver.list(owner)).toMatchObject([{ ...record, digest: fakeImage().digest, state: 'stopped' }]);
  });
});
