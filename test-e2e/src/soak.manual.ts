// Run by people: half an hour with the default of 15 minutes for each of two runs. `WARMVM_SOAK_SECONDS` shortens it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fromSource } from './support/main-program.ts';

const PROGRAM = fileURLToPath(new URL('./support/soak-qemu.ts', import.meta.url));
const SECONDS = Number(process.env.WARMVM_SOAK_SECONDS ?? 900);
/** nobody and nogroup of Debian. */
const [NOBODY, NOGROUP] = [65_534, 65_534];
/** Kept golden snapshots and records of ended leases of one more minute must not show. */
const GROWTH_BYTES = 8 * 2 ** 20;

interface Line {
  readonly problem?: string;
  readonly done?: boolean;
  readonly leases?: number;
  readonly kills?: number;
  readonly heapBytes?: readonly number[];
  readonly left?: readonly string[];
}

/** Runs the program in a state folder of its own and returns what it said. */
async function soak(around: readonly string[], owner: readonly [number, number] | undefined): Promise<readonly Line[]> {
  const home = await mkdtemp(join(tmpdir(), 'wsoak-'));
  try {
    // QEMU runs as another user than root and has to pass.
    await chmod(home, 0o755);
    if (owner !== undefined) await chown(home, ...owner);
    const [program = '', ...words] = [...around, ...fromSource(PROGRAM)];
    const flags = ['--expose-gc', words.pop() as string, join(home, 'state'), String(SECONDS), '7'];
    const child = spawn(program, [...words, ...flags], {
      env: { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const lines: Line[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      process.stderr.write(`${text.slice(0, 300)}\n`);
      lines.push(JSON.parse(text));
    }
    expect(await ended).toEqual([0, null]);
    return lines;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function expectSound(lines: readonly Line[]): void {
  expect(lines.filter(({ problem }) => problem !== undefined)).toEqual([]);
  const last = lines.at(-1);
  expect(last).toMatchObject({ done: true, left: [] });
  expect(last?.leases).toBeGreaterThan(SECONDS / 10);
  expect(last?.kills).toBeGreaterThan(SECONDS / 20);
  const heap = last?.heapBytes ?? [];
  const third = Math.floor(heap.length / 3);
  const least = (values: readonly number[]): number => Math.min(...values);
  expect(least(heap.slice(-third)) - least(heap.slice(third, 2 * third))).toBeLessThan(GROWTH_BYTES);
}

describe('a pool on QEMU whose machines are killed at random, with three borrowers', () => {
  const timeout = SECONDS * 1_000 + 900_000;

  test('lends none twice, leaves nothing and does not grow, started by root', { timeout }, async () => {
    expectSound(await soak([], undefined));
  });

  test('lends none twice, leaves nothing and does not grow, started by a user', { timeout }, async () => {
    const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOGROUP}`, '--clear-groups', '--'];
    expectSound(await soak(user, [NOBODY, NOGROUP]));
  });
});
