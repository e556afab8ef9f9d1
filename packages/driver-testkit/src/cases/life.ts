import assert from 'node:assert/strict';
import type { PrepareProgress } from '@warmvm/core/driver';
import { isText, rejectsWith } from '../assertions.ts';
import { type KitCase, kitCase } from '../kit-case.ts';

const STEPS: readonly PrepareProgress['step'][] = [
  'reuse',
  'upload',
  'boot',
  'agent',
  'warm-up',
  'quiesce',
  'snapshot',
];

export const lifeCases: readonly KitCase[] = [
  kitCase('LIFE-1', 'answers list and ping before anything else was asked', {}, async (context) => {
    const { driver, owner } = await context.beside();
    assert.ok(Array.isArray(await driver.list(owner)), 'list must give an array of records');
    await driver.ping();
  }),
  kitCase(
    'LIFE-2',
    'prepares a golden snapshot that says what it was made from, and where',
    { expensive: true },
    async (context) => {
      const { driver, owner } = await context.alone();
      const { goldenImage } = context.subject;
      const golden = await driver.prepare(goldenImage, { owner });
      assert.equal(golden.digest, goldenImage.digest, 'digest must be that of the image');
      assert.deepEqual(golden.image, goldenImage, 'image must be the one that was given');
      assert.equal(golden.host, (await driver.ping()).host, 'host must be the name that ping reports');
      const [record, ...others] = await driver.list(owner);
      assert.deepEqual(others, [], 'prepare must leave one golden snapshot and nothing else');
      assert.equal(record?.kind, 'golden', 'prepare must leave a golden snapshot');
      assert.equal(record.digest, goldenImage.digest, 'its record must carry the digest of the image');
      assert.deepEqual(record.owner, owner, 'its record must carry the mark of its owner');
    },
  ),
  kitCase('LIFE-3', 'prepares an image again by finding what is there', {}, async (context) => {
    const workplace = await context.shared();
    const { driver, owner } = workplace;
    await workplace.golden();
    const before = await context.objects();
    const steps: PrepareProgress['step'][] = [];
    const again = await driver.prepare(context.subject.goldenImage, {
      owner,
      onProgress: ({ step }) => steps.push(step),
    });
    assert.equal(again.digest, context.subject.goldenImage.digest, 'digest must be that of the image');
    assert.deepEqual(await context.objects(), before, 'a second prepare must make nothing');
    assert.ok(!steps.includes('boot'), 'a second prepare must not boot the image');
    const machine = await driver.fork(again, { owner });
    context.defer(() => machine[Symbol.asyncDispose]());
    assert.equal(await machine.state(), 'running', 'the snapshot must be good for machines');
  }),
  kitCase('LIFE-4', 'tells what prepare is doing, in known words', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    assert.ok(workplace.progress.length > 0, 'prepare must tell of its progress');
    for (const { step, fraction = 0, notices = [] } of workplace.progress) {
      assert.ok(STEPS.includes(step), `a step must be one of its words, got ${JSON.stringify(step)}`);
      assert.ok(fraction >= 0 && fraction <= 1, `fraction must be from 0 to 1, got ${fraction}`);
      assert.ok(notices.every(isText), `notices must be texts, got ${JSON.stringify(notices)}`);
    }
  }),
  kitCase('LIFE-5', 'destroys a machine that is disposed, for good', {}, async (context) => {
    const workplace = await context.shared();
    const machine = await context.fork();
    await machine[Symbol.asyncDispose]();
    assert.equal(await workplace.recordOf(machine), undefined, 'a machine that was disposed must not be listed');
  }),
  kitCase('LIFE-6', 'forks on from a golden snapshot whose machines are gone', {}, async (context) => {
    await (await context.fork())[Symbol.asyncDispose]();
    const machine = await context.fork();
    assert.equal(await machine.state(), 'running', 'a golden snapshot must outlive its machines');
  }),
  kitCase('LIFE-7', 'carries one machine through many generations', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    const { id } = machine;
    for (let turn = 1; turn <= 3; turn += 1) {
      await machine.reset();
      assert.equal(machine.id, id, 'a machine must keep its id');
      assert.equal(await machine.state(), 'running', `the machine must run after reset ${turn}`);
    }
  }),
  kitCase('LIFE-8', 'refuses every call once it was disposed', {}, async (context) => {
    const { driver, owner } = await context.beside();
    await driver.ping();
    await driver[Symbol.asyncDispose]();
    const golden = await (await context.shared()).golden();
    const record = { id: 'x', kind: 'machine', owner, generation: 1, digest: null, state: 'running' } as const;
    const calls = {
      ping: driver.ping(),
      list: driver.list(owner),
      prepare: driver.prepare(context.subject.goldenImage, { owner }),
      fork: driver.fork(golden, { owner }),
      adopt: driver.adopt(record, { owner }),
      remove: driver.remove(record),
    };
    await Promise.allSettled(Object.values(calls));
    for (const [name, call] of Object.entries(calls)) {
      await rejectsWith(call, 'WARMVM_HOST_LOST', `${name} of a driver that was disposed`);
    }
  }),
];
