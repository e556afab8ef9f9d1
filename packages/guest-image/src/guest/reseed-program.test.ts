import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostArchitecture } from '@warmvm/core/driver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { readElfDynamic } from '../elf/elf-reader.ts';
import { RESEED_EXIT, reseedProgram } from './reseed-program.ts';

const runs = process.platform === 'linux';
const root = process.getuid?.() === 0;

describe.each(Object.values(ARCHITECTURES))('the file for $title', (architecture) => {
  const bytes = Buffer.from(reseedProgram(architecture));

  test('is a static program of less than 450 bytes', () => {
    expect(readElfDynamic(bytes, 'reseed', architecture)).toEqual({ needed: [] });
    expect(bytes.length).toBeLessThan(450);
  });

  test('enters at its first instruction, in a segment that is the whole file and cannot be written', () => {
    const load = 64;
    expect(bytes.readUInt32LE(load + 4)).toBe(5);
    expect(bytes.readBigUInt64LE(load + 32)).toBe(BigInt(bytes.length));
    const entry = Number(bytes.readBigUInt64LE(24) - bytes.readBigUInt64LE(load + 16));
    const first = { x86_64: '4883ec48', aarch64: 'ff4301d1' };
    expect(bytes.subarray(entry, entry + 4).toString('hex')).toBe(first[architecture.name]);
  });

  test('has a stack that cannot be executed', () => {
    expect([bytes.readUInt32LE(120), bytes.readUInt32LE(124)]).toEqual([0x6474e551, 6]);
  });

  test('asks for exactly two ioctls, RNDADDENTROPY and RNDRESEEDCRNG, among five kinds of system call', () => {
    const code = bytes.toString('hex', 176);
    const { add, reseed, call } = {
      x86_64: { add: /be03520840/g, reseed: /be07520000/g, call: /0f05/g },
      aarch64: { add: /61408a520101a872/g, reseed: /e1408a52/g, call: /010000d4/g },
    }[architecture.name];
    expect([code.match(add), code.match(reseed), code.match(call)].map((found) => found?.length)).toEqual([1, 1, 5]);
  });
});

test('is on arm64 what GNU as makes of the same lines', () => {
  const code = reseedProgram(ARCHITECTURES.aarch64).subarray(176);
  expect(createHash('sha256').update(code).digest('hex')).toBe(
    'a82a46e6fc9635bfd04d586ec81a7e2cd7dddda4f178ea3eb1be97568539ca5c',
  );
});

describe.runIf(runs)('run on this machine', () => {
  let directory: string;
  let path: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'warmvm-reseed-'));
    path = join(directory, 'reseed');
    await chmod(directory, 0o755);
    await writeFile(path, reseedProgram(ARCHITECTURES[hostArchitecture()]));
    await chmod(path, 0o755);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.runIf(root)('credits 64 bytes and reseeds as root', async () => {
    expect(await exitCode(path, [Buffer.alloc(64, 7)])).toBe(RESEED_EXIT.done);
  });

  test.runIf(root)('takes a seed that comes in pieces', async () => {
    expect(await exitCode(path, [Buffer.alloc(1), Buffer.alloc(40), Buffer.alloc(23)])).toBe(RESEED_EXIT.done);
  });

  test('fails as an ordinary user', async () => {
    const identity = root ? { uid: 65_534, gid: 65_534 } : {};
    expect(await exitCode(path, [Buffer.alloc(64, 7)], identity)).toBe(RESEED_EXIT.notCredited);
  });

  test.each([0, 1, 63])('fails on a seed of %i bytes', async (length) => {
    expect(await exitCode(path, [Buffer.alloc(length)])).toBe(RESEED_EXIT.short);
  });
});

async function exitCode(
  path: string,
  seed: readonly Buffer[],
  identity: { uid?: number; gid?: number } = {},
): Promise<number | null> {
  const child = spawn(path, [], { stdio: ['pipe', 'ignore', 'ignore'], ...identity });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  child.stdin.on('error', () => undefined);
  for (const piece of seed) await new Promise<void>((resolve) => child.stdin.write(piece, () => resolve()));
  child.stdin.end();
  return ended;
}
