import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ControlConnection } from '../kept-pool/client/control-connection.ts';
import { keptPool } from '../kept-pool/fixtures/kept-pool.ts';
import { writePoolRecord } from '../kept-pool/pool-records.ts';
import { findKeptPool } from './find-kept-pool.ts';
import { keptSource } from './kept-source.ts';
import type { MachineSource } from './machine-source.ts';
import { untilClosed } from './open-kept.ts';

const signal = new AbortController().signal;

test('a pool that is being drained lends nothing more: a machine is made for the command, and a line says so', async () => {
  await using kept = await keptPool();
  const lent = await kept.pool.acquire();
  const closing = kept.pool.close({ graceMs: 60_000 });
  const said: string[] = [];
  const disposed: string[] = [];
  const own: MachineSource = {
    description: 'a pool of its own',
    lend: async () => ({ machineId: 'own', guest: lent.guest, signal, giveBack: async () => {} }),
    [Symbol.asyncDispose]: async () => void disposed.push('own'),
  };
  const connection = await ControlConnection.open(kept.path, signal);
  const source = untilClosed(
    keptSource(connection),
    async () => own,
    (text) => said.push(text),
  );
  expect((await source.lend({ signal })).machineId).toBe('own');
  expect(source.description).toBe('a pool of its own');
  expect(said).toEqual([
    `pool default of process ${process.pid} is being drained: making a machine for this command alone`,
  ]);
  await source[Symbol.asyncDispose]();
  expect(disposed).toEqual(['own']);
  await lent.release();
  await closing;
});

test('a pool that another process keeps where this one does not look is named', async () => {
  await using kept = await keptPool();
  const elsewhere = join(kept.folder, 'elsewhere');
  await mkdir(elsewhere, { mode: 0o700 });
  const home = { XDG_STATE_HOME: join(kept.folder, 'state') };
  const record = writePoolRecord('ci', '/there/ci.sock', { ...kept.place, environment: home });
  // What this very process keeps is not another's.
  const sources = { folder: kept.folder, environment: { ...home, XDG_RUNTIME_DIR: elsewhere } };
  expect(await findKeptPool({ pool: 'ci' }, sources, signal)).toEqual({
    why: 'no pool ci is kept here',
    isKept: false,
  });
  record?.[Symbol.dispose]();
});
