import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runOnTerminal } from './support/terminal.ts';

const MAIN = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));
const BENCH = `exec node --conditions=@warmvm/source --no-warnings ${MAIN} bench`;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

describe('the bench on a terminal', () => {
  test.each([120, 72])('of %d columns leaves one line for each suite, and tables that fit', async (columns) => {
    await using run = runOnTerminal(`${BENCH} acquire --driver fake --samples 20`, columns);
    const { lines, exitCode } = await run.ended();
    expect(exitCode, lines.join('\n')).toBe(0);
    expect(lines.filter((line) => /^. acquire \(fake\)/.test(line))).toEqual([
      expect.stringMatching(/^✔ acquire \(fake\) \[/),
    ]);
    expect(lines.filter((line) => SPINNER.test(line))).toEqual([]);
    const tables = lines.filter((line) => /^ {2}(figure|acquire|verdict|acquire-5|[★✓✗])/.test(line));
    expect(tables.length).toBeGreaterThan(4);
    // A row that does not fit goes on in the next line, which then has no two blanks in front.
    for (const line of tables) expect(line.trimEnd()).toMatch(/\S$/);
    expect(lines.at(-1)).toMatch(/floor|met|missed|goal/);
  });

  test('says what had not ended when somebody interrupts it', async () => {
    await using run = runOnTerminal(`${BENCH} acquire pool-engine --driver fake --samples 5`, 100);
    await run.shows(/^[^◼] pool-engine \(fake\)/);
    run.type('\u0003');
    const { lines, exitCode } = await run.ended();
    expect(exitCode).not.toBe(0);
    expect(lines).toContainEqual(expect.stringMatching(/^✔ acquire \(fake\) \[/));
    expect(lines).toContainEqual(expect.stringMatching(/^✖ pool-engine \(fake\): not finished/));
    expect(lines.filter((line) => SPINNER.test(line))).toEqual([]);
    expect(lines.join('\n')).toContain('interrupted');
  });
});
