// The guide on adding a driver, taken at its word: its driver is built outside this repository from the packed core and kit alone, and
// held against the contract under node:test. It must pass; with a fault planted in it, it must fail on the case for that.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compile, install } from './lib/foreign-project.ts';
import { root } from './lib/repository.ts';
import { run } from './lib/run.ts';

const EXAMPLE = 'docs/examples/driver-in-a-file';
const PACKAGES = ['warmvm-core-', 'warmvm-driver-testkit-'];

/** A mistake that the author of a driver could make, and the case that is there for it. */
const FAULT = {
  file: 'driver.ts',
  right: '      await this.#shoebox.undefine(name);\n',
  wrong: '',
  fails: 'DISPOSE-1',
} as const;

/** The sources of the example by file name. */
export async function exampleSources(): Promise<Map<string, string>> {
  const files = await readdir(join(root, EXAMPLE));
  const read = async (file: string): Promise<[string, string]> => [
    file,
    await readFile(join(root, EXAMPLE, file), 'utf8'),
  ];
  return new Map(await Promise.all(files.filter((file) => file.endsWith('.ts')).map(read)));
}

/** The same with the fault planted. @throws Error when it is not exactly once where it was */
export function withFault(sources: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const parts = sources.get(FAULT.file)?.split(FAULT.right) ?? [];
  if (parts.length !== 2) throw new Error(`${EXAMPLE}/${FAULT.file} must hold once: ${FAULT.right.trim()}`);
  return new Map([...sources, [FAULT.file, parts.join(FAULT.wrong)]]);
}

/** What is wrong with a run of the example on these Nodes. */
export async function foreignDriverProblems(
  project: string,
  tarballs: readonly string[],
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const wanted = tarballs.filter((file) => PACKAGES.some((prefix) => basename(file).startsWith(prefix)));
  if (wanted.length !== PACKAGES.length) return [`of ${PACKAGES.join(', ')} there are ${wanted.length} tarballs`];
  await install(project, wanted, signal);
  const sources = await exampleSources();
  const test = (node: string): ReturnType<typeof run> =>
    run(node, ['--test', '--test-reporter=tap', 'out/conformance.test.js'], {
      cwd: project,
      timeoutMs: 300_000,
      signal,
    });
  const problems: string[] = [];
  await compile(project, sources, signal);
  for (const node of nodes) {
    const { exitCode, output } = await test(node);
    const passed = /^# pass [1-9]\d*$/m.test(output);
    if (exitCode !== 0 || !passed)
      problems.push(`the driver of the guide does not pass the kit on ${node}:\n${output}`);
  }
  await compile(project, withFault(sources), signal);
  const { exitCode, output } = await test(process.execPath);
  if (exitCode === 0 || !new RegExp(`^\\s*not ok \\d+ - ${FAULT.fails} `, 'm').test(output)) {
    problems.push(`the driver of the guide with a fault planted must fail ${FAULT.fails}:\n${output.slice(-5_000)}`);
  }
  return problems;
}
