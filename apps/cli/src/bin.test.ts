import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin', import.meta.url));
let folder: string;

/** An installed package whose program is a stand-in for the real one: runs `runInterruptibly` of the sources until it is interrupted. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-bin-'));
  await cp(BIN, join(folder, 'warmvm/bin'), { recursive: true });
  await mkdir(join(folder, 'warmvm/dist'));
  await writeFile(join(folder, 'warmvm/package.json'), '{ "type": "module" }');
  const modules = ['./ignored-signals.ts', './interruptible.ts'].map((name) => new URL(name, import.meta.url).href);
  await writeFile(
    join(folder, 'warmvm/dist/main.js'),
    `const [{ keepIgnoring }, { runInterruptibly }] = await Promise.all(${JSON.stringify(modules)}.map((url) => import(url)));
keepIgnoring();
const output = { write: (text) => process.stdout.write(text), writeError: (text) => process.stdout.write(text) };
process.exitCode = await runInterruptibly(output, (signal) => new Promise((resolve, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason));
  process.on('SIGWINCH', () => output.write(signal.aborted ? 'interrupted\\n' : 'still at work\\n'));
  output.write('started ' + JSON.stringify([process.argv.slice(2), process.env.WARMVM_IGNORED_SIGNALS ?? null]) + '\\n');
}));
`,
  );
  await symlink('warmvm/bin/warmvm.js', join(folder, 'link'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a program and collects what it prints. */
function start(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '--conditions=@warmvm/source --no-warnings',
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      ...environment,
    },
  });
  let printed = '';
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      for (const look of heard) look();
    });
  }
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(`${exitCode ?? signal}: ${printed}`));
  });
  const prints = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (printed.includes(text)) resolve();
      };
      heard.add(look);
      look();
      void ended.then((end) => reject(new Error(`ended before it printed ${text}: ${end}`)), reject);
    });
  return { child, ended, prints };
}

describe('the command', () => {
  test('hands its words on, also through a link, and hears the signals', async () => {
    const { child, ended, prints } = start(join(folder, 'link'), ['run', 'a b', '*']);
    await prints('started [["run","a b","*"],null]');
    child.kill('SIGHUP');
    expect(await ended).toMatch(/^130: .*interrupted: destroying/s);
  });

  test.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('goes on ignoring %s if it was started so', async (name) => {
    const script = `trap '' ${name.slice(3)}; exec "$0"`;
    const { child, ended, prints } = start('sh', ['-c', script, join(folder, 'link')]);
    await prints('started');
    child.kill(name);
    // Of several signals the system delivers that with the lowest number first.
    child.kill('SIGWINCH');
    await prints('still at work');
    child.kill(name === 'SIGTERM' ? 'SIGHUP' : 'SIGTERM');
    expect(await ended).toMatch(/^130: /);
  });

  test('outlives a hang-up below nohup', async () => {
    const { child, ended, prints } = start('nohup', [join(folder, 'link')]);
    await prints('started');
    child.kill('SIGHUP');
    child.kill('SIGWINCH');
    await prints('still at work');
    child.kill('SIGTERM');
    expect(await ended).toMatch(/^130: /);
  });

  test.each(['20.20.2', '18.0.0', '22.11.0', '12.22.12'])('says one sentence on Node %s', async (version) => {
    const older = join(folder, `node-${version}.cjs`);
    await writeFile(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
    );
    const { ended } = start(join(folder, 'link'), ['doctor'], { NODE_OPTIONS: `--require ${older}` });
    expect(await ended).toBe(
      `1: warmvm needs Node 22.12 or newer, and this is Node ${version}. Install a newer one: https://nodejs.org/en/download\n`,
    );
  });

  test('starts on the oldest Node that is supported', async () => {
    const oldest = join(folder, 'node-22.12.cjs');
    await writeFile(
      oldest,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.12.0' } });",
    );
    const { child, ended, prints } = start(join(folder, 'link'), [], {
      NODE_OPTIONS: `--require ${oldest} --conditions=@warmvm/source --no-warnings`,
    });
    await prints('started');
    child.kill('SIGTERM');
    expect(await ended).toMatch(/^130: /);
  });
});
