import assert from 'node:assert/strict';
import { clockError, draw, hasFile, textOf } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';

/** How far a guest's clock may be off after a fork or reset. In milliseconds, before scaling. */
export const CLOCK_TOLERANCE_MS = 2000;

export const forkCases: readonly KitCase[] = [
  kitCase('FORK-1', 'forks machines of generation 1 that run', {}, async (context) => {
    const machine = await context.fork();
    assert.equal(typeof machine.id, 'string', 'id must be a text');
    assert.notEqual(machine.id, '', 'id must not be empty');
    assert.equal(machine.generation, 1, 'a new machine must be of generation 1');
    assert.equal(await machine.state(), 'running', 'a new machine must run');
  }),
  kitCase('FORK-2', 'gives every machine an id that no other ever had', {}, async (context) => {
    const first = await context.fork();
    const second = await context.fork();
    await first[Symbol.asyncDispose]();
    const third = await context.fork();
    const ids = [first.id, second.id, third.id];
    assert.equal(new Set(ids).size, ids.length, `ids must be unique for ever, got ${ids.join(', ')}`);
  }),
  kitCase('FORK-3', 'lists a machine with the mark of its owner', {}, async (context) => {
    const workplace = await context.shared();
    const owner = context.newOwner(workplace.owner.pool);
    const machine = await context.fork(workplace, { owner });
    const record = await workplace.recordOf(machine);
    const { digest } = context.subject.goldenImage;
    assert.deepEqual(record, { id: machine.id, kind: 'machine', owner, generation: 1, digest, state: 'running' });
  }),
  kitCase('FORK-4', 'forks machines whose guest answers', { needs: ['guest agent'] }, async (context) => {
    const machine = await context.fork();
    await machine.guest.ping();
    assert.equal(await textOf(machine.guest, ['echo', 'ready']), 'ready', 'a new machine must be ready for commands');
  }),
  kitCase(
    'FORK-5',
    'gives two machines of one golden snapshot different randomness',
    { needs: ['guest agent'] },
    async (context) => {
      const machines = [await context.fork(), await context.fork()];
      const drawn = [];
      for (const { guest } of machines) drawn.push(await draw(guest), await draw(guest));
      assert.equal(new Set(drawn).size, drawn.length, 'no two draws of any two machines may be the same');
    },
  ),
  kitCase('FORK-6', 'gives every machine an identity of its own', { needs: ['guest agent'] }, async (context) => {
    const machines = [await context.fork(), await context.fork()];
    const names = await Promise.all(machines.map(({ guest }) => textOf(guest, ['hostname'])));
    assert.notEqual(names[0], names[1], 'two machines must not have the same host name');
    const [first, second] = await Promise.all(machines.map(({ guest }) => guest.exec(['cat', '/etc/machine-id'])));
    if (first!.exitCode !== 0) return;
    assert.notDeepEqual(first!.stdout, second!.stdout, 'two machines must not have the same machine id');
  }),
  kitCase(
    'FORK-7',
    'sets the clock of a machine, however old its golden snapshot is',
    { needs: ['guest agent'] },
    async (context) => {
      const toleranceMs = context.scaled(CLOCK_TOLERANCE_MS);
      // Only a snapshot that is older than the tolerance tells a clock that was set from one that was not.
      await context.goldenOlderThan(2 * toleranceMs);
      const offMs = await clockError(context, (await context.fork()).guest);
      assert.ok(offMs <= toleranceMs, `the guest's clock may be off by ${toleranceMs} ms, it is by ${offMs}`);
    },
  ),
  kitCase('FORK-8', 'keeps machines apart in memory and on disk', { needs: ['guest agent'] }, async (context) => {
    const { paths } = context.subject;
    const first = await context.fork();
    const second = await context.fork();
    for (const path of Object.values(paths)) await first.guest.writeFile(path, 'of the first machine');
    const third = await context.fork();
    for (const path of Object.values(paths)) {
      assert.ok(await hasFile(first.guest, path), `${path} must be there where it was written`);
      assert.ok(!(await hasFile(second.guest, path)), `${path} must not show in a machine beside`);
      assert.ok(!(await hasFile(third.guest, path)), `${path} must not show in a machine forked later`);
    }
  }),
];
