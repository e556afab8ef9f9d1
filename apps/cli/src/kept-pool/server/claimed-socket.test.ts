import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { runtimePlace } from '../fixtures/kept-pool.ts';
import { makeRuntimeFolder, poolNames, runtimeFolder, socketPathOf } from '../runtime-folder.ts';
import { keepBound } from './bound-again.ts';
import { claimPath, claimSocket } from './claimed-socket.ts';

/** Every system takes 103 bytes for a socket; `/warmvm/01234567.b` is what the longest of the first names needs. */
const MOST_PARENT_BYTES = 103 - 18;

describe('the socket of a pool', () => {
  test('is for this user alone, and goes with its process', async () => {
    await using runtime = await runtimePlace();
    const claimed = await claimSocket('ci', runtime.place);
    expect((await lstat(claimed.path)).mode & 0o777).toBe(0o600);
    expect((await lstat(join(runtime.folder, 'warmvm'))).mode & 0o777).toBe(0o700);
    expect(poolNames(runtime.place)).toEqual(['ci']);
    await claimed[Symbol.asyncDispose]();
    expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
  });

  test('of a living process is not taken', async () => {
    await using runtime = await runtimePlace();
    await using claimed = await claimSocket('ci', runtime.place);
    await expect(claimSocket('ci', runtime.place)).rejects.toThrow(/kept by another process already.*drain --pool ci/);
    expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual(['ci.sock']);
    expect((await lstat(claimed.path)).isSocket()).toBe(true);
  });

  test('of a dead process is replaced', async () => {
    await using runtime = await runtimePlace();
    await mkdir(join(runtime.folder, 'warmvm'), { mode: 0o700 });
    const path = socketPathOf('ci', runtime.place);
    const listen = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listen]);
    expect((await lstat(path)).isSocket()).toBe(true);
    await using claimed = await claimSocket('ci', runtime.place);
    expect(claimed.path).toBe(path);
    expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual(['ci.sock']);
  });

  test('goes to one of many that begin at once', async () => {
    await using runtime = await runtimePlace();
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimSocket('ci', runtime.place)));
    const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.[Symbol.asyncDispose]();
  });

  test('has one holder at a time, whoever comes and goes', async () => {
    await using runtime = await runtimePlace();
    const folder = makeRuntimeFolder(runtime.place);
    let holders = 0;
    const worker = async (): Promise<void> => {
      for (let turns = 0; turns < 10; ) {
        await using claimed = await claimPath(join(folder, 'ci.sock'));
        if (claimed === undefined) continue;
        holders += 1;
        expect(holders).toBe(1);
        await new Promise(setImmediate);
        holders -= 1;
        turns += 1;
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
    expect(await readdir(folder)).toEqual([]);
  });

  test('is not put where others could have put theirs', async () => {
    await using open = await runtimePlace();
    await mkdir(join(open.folder, 'warmvm'));
    await chmod(join(open.folder, 'warmvm'), 0o755);
    await expect(claimSocket('ci', open.place)).rejects.toThrow(/not a folder of this user alone/);
    await using linked = await runtimePlace();
    await mkdir(join(linked.folder, 'elsewhere'), { mode: 0o700 });
    await symlink(join(linked.folder, 'elsewhere'), join(linked.folder, 'warmvm'));
    await expect(claimSocket('ci', linked.place)).rejects.toThrow(/not a folder of this user alone/);
  });

  test.each(['', '../up', 'a/b', 'a b', 'x'.repeat(41)])('cannot be named %j', (name) => {
    expect(() => socketPathOf(name)).toThrow(/cannot be called/);
  });

  test('is made where every path of it has just room, and refused before it is begun where none has', async () => {
    await using runtime = await runtimePlace();
    const parentOf = async (length: number) => {
      const folder = join(runtime.folder, 'x'.repeat(length - runtime.folder.length - 1));
      await mkdir(folder);
      return { ...runtime.place, environment: { XDG_RUNTIME_DIR: folder } };
    };
    await using claimed = await claimSocket('c', await parentOf(MOST_PARENT_BYTES));
    expect((await lstat(claimed.path)).isSocket()).toBe(true);
    const long = await parentOf(MOST_PARENT_BYTES + 1);
    await expect(claimSocket('c', long)).rejects.toThrow(/too long for a socket; give a shorter WARMVM_RUNTIME_DIR/);
    expect(await readdir(runtimeFolder(long).slice(0, -'/warmvm'.length))).toEqual([]);
  });

  test('is not in a runtime folder of somebody else', async () => {
    await using runtime = await runtimePlace();
    const other = { ...runtime.place, userId: 4_242_424 };
    expect(socketPathOf('ci', other)).not.toContain(runtime.folder);
  });
});

describe('a socket that something removed', () => {
  /** Where also the records of pools are kept. */
  const withHome = (runtime: Awaited<ReturnType<typeof runtimePlace>>) => ({
    ...runtime.place,
    environment: { ...runtime.place.environment, XDG_STATE_HOME: join(runtime.folder, 'state') },
  });

  test.each(['the socket', 'its folder'])('is bound again by its owner: %s', async (what) => {
    await using runtime = await runtimePlace();
    const clock = new VirtualClock();
    const said: string[] = [];
    const bound = Promise.withResolvers<void>();
    const claimed = await claimSocket('ci', runtime.place);
    const options = {
      clock,
      place: runtime.place,
      onChange(text: string) {
        said.push(text);
        bound.resolve();
      },
    };
    await using kept = keepBound(claimed, options);
    await clock.advance(10_000);
    expect(said).toEqual([]);
    const before = connect(kept.path);
    await once(claimed.server, 'connection');
    await rm(what === 'the socket' ? kept.path : join(runtime.folder, 'warmvm'), { recursive: true });
    expect(kept.isBound()).toBe(false);
    await clock.advance(2_000);
    await bound.promise;
    expect(said).toEqual([`something removed the socket ${kept.path}: it is bound again`]);
    const connection = once(claimed.server, 'connection');
    const after = connect(kept.path);
    await connection;
    expect(before.destroyed).toBe(false);
    expect(poolNames(runtime.place)).toEqual(['ci']);
    for (const socket of [before, after]) socket.destroy();
    await kept[Symbol.asyncDispose]();
    expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
  });

  test('gives nobody else the name while its owner lives', async () => {
    await using runtime = await runtimePlace();
    const place = withHome(runtime);
    const source = new URL('./claimed-socket.ts', import.meta.url).href;
    const script = `const { claimSocket } = await import(${JSON.stringify(source)});
      await claimSocket('ci', ${JSON.stringify(place)}); console.log('has it'); setInterval(() => {}, 1e6);`;
    const flags = ['--conditions=@warmvm/source', '--no-warnings', '--input-type=module', '-e', script];
    const owner = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(owner.stdout, 'data');
      await rm(join(runtime.folder, 'warmvm'), { recursive: true });
      await expect(claimSocket('ci', place)).rejects.toThrow(
        `a pool "ci" is kept by process ${owner.pid} already, and its socket ${socketPathOf('ci', place)} cannot be reached from here`,
      );
      expect(await readdir(join(runtime.folder, 'warmvm'))).toEqual([]);
    } finally {
      owner.kill('SIGKILL');
      await once(owner, 'close');
    }
    // The record of a dead process keeps nobody away.
    await using claimed = await claimSocket('ci', place);
    expect(claimed.isBound()).toBe(true);
    expect(await readdir(join(runtime.folder, 'state/warmvm/pools'))).toHaveLength(1);
  });

  test('is not removed in the end if somebody else has the name by then', async () => {
    await using runtime = await runtimePlace();
    const first = await claimSocket('ci', runtime.place);
    await rm(first.path);
    await using second = await claimSocket('ci', runtime.place);
    await first[Symbol.asyncDispose]();
    expect(second.isBound()).toBe(true);
  });

  test('is found in the folder that a variable names, also without any other', async () => {
    await using runtime = await runtimePlace();
    const place = { ...runtime.place, environment: { WARMVM_RUNTIME_DIR: join(runtime.folder, 'here') } };
    await using claimed = await claimSocket('ci', place);
    expect(claimed.path).toBe(join(runtime.folder, 'here/ci.sock'));
    const wrong = { ...runtime.place, environment: { WARMVM_RUNTIME_DIR: 'here' } };
    expect(() => runtimeFolder(wrong)).toThrow('WARMVM_RUNTIME_DIR is "here", expected an absolute path of a folder');
  });
});
