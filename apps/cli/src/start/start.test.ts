import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runStart } from './index.ts';
import type { StartOptions } from './options.ts';

describe('warmvm start on the fake', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-start-'));
    // The list of steps writes to the process's own outputs.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  async function run(options: Partial<StartOptions> = {}) {
    const written: string[] = [];
    const complaints: string[] = [];
    const exitCode = await runStart(
      { driver: 'fake', samples: 1, ...options },
      { write: (text) => void written.push(text), writeError: (text) => void complaints.push(text) },
    );
    return { exitCode, written: written.join(''), complaints: complaints.join('') };
  }

  test('says first that it is the fake, and last what was proved', async () => {
    const { exitCode, written, complaints } = await run();
    expect({ exitCode, complaints }).toEqual({ exitCode: 0, complaints: '' });
    expect(written).toMatch(/^warmvm start: on the embedded fake, no real machines: asked for with --driver fake\n/);
    expect(written).toContain('proved: no marker of a tenant outlived its reset');
    expect(written).toContain('proved: no killed machine was lent');
    expect(written).toContain('proved: nothing is left behind');
    expect(written).not.toMatch(/\b(met|missed)\b/);
  });

  test('writes its report as JSON where it is told to', async () => {
    const json = join(folder, 'report.json');
    const { written } = await run({ json });
    expect(written).toContain(`written to ${json}`);
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      schema: 1,
      driver: 'fake',
      acceleration: 'none',
      proofs: { markerAbsentAfterReset: true, killedMachineEvicted: true, leftBehind: 0 },
      ratios: { 'boot / one cold boot': expect.any(Number) },
    });
  });

  test('fails before it makes anything when the report cannot be written, and says which file and why', async () => {
    const json = join(folder, 'missing', 'report.json');
    const { exitCode, complaints, written } = await run({ json });
    expect(exitCode).toBe(1);
    expect(complaints).toContain(`error: --json ${json} cannot be written`);
    expect(complaints).toMatch(/caused by: ENOENT/);
    expect(written).toBe('');
  });

  test('interrupted, says so once, and ends with 130', async () => {
    const running = run({ samples: 10_000 });
    process.emit('SIGINT');
    process.emit('SIGTERM');
    const { exitCode, complaints } = await running;
    expect(exitCode).toBe(130);
    expect(complaints).toBe('\ninterrupted: destroying what was made (Ctrl-C again: leave at once)\n');
  });

  test('leaves no listener for signals behind', async () => {
    const count = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
    const before = count();
    await run();
    expect(count()).toBe(before);
  });
});
