import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

/** Imports modules, and prints what was loaded for them. */
const LIST = `
import { registerHooks } from 'node:module';
const urls = [];
registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
for (const url of process.argv.slice(1)) await import(url);
console.log(JSON.stringify(urls));
`;

/** Packages whose modules a program of its own loads with these files. */
async function packagesOf(...files: readonly string[]): Promise<readonly string[]> {
  const urls = files.map((file) => new URL(file, import.meta.url).href);
  const flags = ['--conditions=@warmvm/source', '--no-warnings', '--input-type=module', '--eval', LIST];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...urls]);
  const names = (JSON.parse(stdout) as readonly string[]).flatMap((url) => {
    const [, name] = /^.*\/(?:node_modules|packages|apps)\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].sort();
}

describe('a command that leases from a kept pool', () => {
  // The rest takes several times as long to load as the command to run; who adds to this measures `bench run` before and after.
  test('loads the contract and the arguments alone: no schemas, no images, no progress, no driver', async () => {
    expect(await packagesOf('./run-program.ts', './run/index.ts')).toEqual(['cli', 'commander', 'core']);
  });
});

describe('a configuration file that imports warmvm', () => {
  test('loads nothing else for that', async () => {
    expect(await packagesOf('./index.ts')).toEqual(['cli']);
  });
});
