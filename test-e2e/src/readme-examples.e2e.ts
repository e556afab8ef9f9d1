import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost } from './support/libvirt-host.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Examples that speak to a daemon or to apt, by document and position, with what they print. All others run in the quick checks. */
const EXAMPLES: readonly (readonly [document: string, position: number, printed: RegExp])[] = [
  ['README.md', 0, /^warmvm-[0-9a-f]{16} \d+\.\d+\.\d+-\d+-cloud-amd64\n/],
  ['packages/driver-qemu/README.md', 0, /^\d+\.\d+\.\d+-\d+-cloud-amd64\n/],
  ['packages/driver-libvirt/README.md', 0, /^\d+\.\d+\.\d+-\d+-cloud-amd64\n/],
  ['packages/guest-image/README.md', 0, /^sha256:[0-9a-f]{64}\n$/],
  ['packages/libvirt/README.md', 0, /^test 1\ntest \{ event: 'SUSPENDED', detail: 'PAUSED' \}\n$/],
  ['packages/libvirt/README.md', 1, /^image\/png\n$/],
];

let host: LibvirtHost;
let scripts: string;
let before: readonly string[];

beforeAll(async () => {
  host = await openLibvirtHost();
  before = await host.inventory([], 'main job too');
  // Below this package, so that the examples find the packages as a user's project would.
  const cache = fileURLToPath(new URL('../.cache', import.meta.url));
  await mkdir(cache, { recursive: true });
  scripts = await mkdtemp(join(cache, 'examples-'));
});

afterAll(async () => {
  await rm(scripts, { recursive: true, force: true });
  await host[Symbol.asyncDispose]();
});

test.each(EXAMPLES)('example of %s at position %d runs as it stands', async (document, position, printed) => {
  const text = await readFile(join(root, document), 'utf8');
  const code = [...text.matchAll(/^```ts[^\n]*\n([\s\S]*?)^```$/gm)][position]?.[1] ?? '';
  const script = join(scripts, `${document.replaceAll('/', '-')}-${position}.ts`);
  await writeFile(script, code);
  const folder = await mkdtemp(join(tmpdir(), 'example-'));
  try {
    const args = ['--conditions=@warmvm/source', '--no-warnings', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    expect(stdout).toMatch(printed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the examples leave nothing on the host', async () => {
  expect(await host.inventory([], 'main job too')).toEqual(before);
});
