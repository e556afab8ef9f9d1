import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { root } from '../lib/repository.ts';

const execute = promisify(execFile);

/** A checkout without packages, whose command line prints how it was called. */
async function emptyCheckout(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'warmvm-bootstrap-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const checkout = join(parent, 'a checkout with spaces');
  await mkdir(join(checkout, 'apps/cli/src'), { recursive: true });
  await mkdir(join(checkout, 'tools'));
  await cp(join(root, 'tools/bootstrap.mjs'), join(checkout, 'tools/bootstrap.mjs'));
  await cp(join(root, 'tools/bootstrap'), join(checkout, 'tools/bootstrap'), { recursive: true });
  await writeFile(join(checkout, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  await writeFile(join(checkout, 'pnpm-workspace.yaml'), 'packages: []\npmOnFail: ignore\n');
  await writeFile(
    join(checkout, 'pnpm-lock.yaml'),
    "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n  excludeLinksFromLockfile: false\n\nimporters:\n\n  .: {}\n",
  );
  const program =
    'const said: string = JSON.stringify(process.argv.slice(2));\nconsole.log(said);\nprocess.exitCode = 4;\n';
  await writeFile(join(checkout, 'apps/cli/src/main.ts'), program);
  return checkout;
}

async function bootstrap(checkout: string, ...args: string[]) {
  const command = [join(checkout, 'tools/bootstrap.mjs'), ...args];
  return execute(process.execPath, command, { cwd: tmpdir() }).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
}

test('installs once, runs the unbuilt program, and hands its exit code on', { timeout: 60_000 }, async () => {
  const checkout = await emptyCheckout();
  const first = await bootstrap(checkout, 'start', '--', '--count', '3');
  expect(first.stderr).toContain('installing packages');
  expect(first.stdout.trim()).toBe('["start","--count","3"]');
  expect(first.code).toBe(4);
  const second = await bootstrap(checkout, 'start');
  expect(second.stderr).toBe('');
  expect(second.stdout.trim()).toBe('["start"]');
});

test('installs again when a manifest has changed, and says so when the lockfile does not fit it', {
  timeout: 60_000,
}, async () => {
  const checkout = await emptyCheckout();
  await bootstrap(checkout, 'start');
  const manifest = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as object;
  const changed = { ...manifest, dependencies: { 'not-in-the-lockfile': '1.0.0' } };
  await writeFile(join(checkout, 'package.json'), JSON.stringify(changed));
  const result = await bootstrap(checkout, 'start');
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/pnpm-lock\.yaml does not fit/);
});
