import { describe, expect, test } from 'vitest';
import type { MachineRecord, OwnerProcess } from '../driver/index.ts';
import { currentOwnerProcess } from '../owner/owner-process.ts';
import { makePool } from './fixtures/pool-fixture.ts';

const self = currentOwnerProcess();
const dead: OwnerProcess = { ...self, startTime: '1' };
const elsewhere: OwnerProcess = { ...self, bootId: 'another-computer' };

function record(id: string, process: OwnerProcess, change: Partial<MachineRecord> = {}): MachineRecord {
  const owner = { pool: 'default', instance: 'x', process };
  return { id, kind: 'machine', owner, generation: 1, digest: null, state: 'running', ...change };
}

describe('the sweep at start', () => {
  test('removes what dead owners left and touches nothing else', async () => {
    const other = { pool: 'other', instance: 'x', process: dead };
    const records = [
      record('dead', dead),
      record('alive', self),
      record('unknown', elsewhere),
      record('of another pool', dead, { owner: other }),
    ];
    const { driver, pool, events } = makePool({ sweep: true, stub: { records } });
    await pool.ready();
    expect(driver.calls('remove').map((call) => call.machineId)).toEqual(['dead']);
    expect(driver.records.map(({ id }) => id)).toEqual(['alive', 'unknown', 'of another pool']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'swept', removed: ['dead'], failed: [], kept: 2 }));
  });

  test('comes before the first creation, for the room it makes', async () => {
    const { driver, settle } = makePool({
      sweep: true,
      stub: { records: [record('dead', dead)] },
      script: (stub) => stub.answer('remove', 'manual'),
    });
    await settle();
    expect(driver.calls('prepare')).toHaveLength(0);
    driver.pending('remove')[0]?.resolve();
    await settle();
    expect(driver.calls('fork')).toHaveLength(1);
  });

  test('takes golden snapshots of dead owners only after its own was prepared, so that they can be reused', async () => {
    const { driver, pool, settle } = makePool({
      sweep: true,
      stub: { records: [record('golden', dead, { kind: 'golden' })] },
    });
    await pool.ready();
    await settle();
    const kinds = driver.calls().map((call) => call.kind);
    expect(kinds.indexOf('remove')).toBeGreaterThan(kinds.indexOf('prepare'));
    expect(driver.records).toEqual([]);
  });

  test.each([{ reject: new Error('no list') }, { throw: new Error('no list') }, 'manual' as const])(
    'that fails or hangs does not keep the pool from starting',
    async (answer) => {
      const { pool, clock, events } = makePool({
        sweep: true,
        destroyTimeoutMs: 100,
        script: (driver) => driver.answer('list', answer),
      });
      const ready = pool.ready();
      await clock.advance(100);
      await ready;
      expect(events.some((event) => event.type === 'sweep-failed')).toBe(true);
    },
  );

  test('names what it could not remove', async () => {
    const error = new Error('busy');
    const { pool, events } = makePool({
      sweep: true,
      stub: { records: [record('dead', dead)] },
      script: (driver) => driver.answer('remove', { reject: error }),
    });
    await pool.ready();
    expect(events).toContainEqual(expect.objectContaining({ type: 'swept', failed: [{ id: 'dead', error }] }));
  });

  test('can be left out', async () => {
    const { driver, pool } = makePool({ sweep: false, stub: { records: [record('dead', dead)] } });
    await pool.ready();
    expect(driver.calls('list')).toHaveLength(0);
  });
});
