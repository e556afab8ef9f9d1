import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * This computer as one may break it: what is installed or removed there is a layer over what is here, and goes with it. It has no virtual machines yet,
 * and its processes see none of ours.
 */
export interface DisposableComputer extends AsyncDisposable {
  /** Where its files are for us, `/proc` with its processes among them. */
  readonly root: string;
  /** Words before a command that runs it there, in this folder of ours. */
  within(folder: string): readonly [string, ...string[]];
}

/** Where packages put things. */
const LAYERED = ['usr', 'etc', 'var'];
/** Where hypervisors and we keep what we know and have: empty there, whatever happens here meanwhile. */
const EMPTY = [
  '/etc/libvirt/qemu',
  '/etc/libvirt/storage',
  '/var/lib/libvirt/qemu',
  '/var/lib/libvirt/images',
  '/var/lib/warmvm',
  '/var/tmp',
];
const EMPTY_IN_MEMORY = ['/run/libvirt', '/dev/shm'];
const BEGIN = [
  'set -e; room=$1',
  'mount -t proc proc /proc',
  'mount -t tmpfs tmpfs "$room"',
  `for part in ${LAYERED.join(' ')}`,
  'do mkdir -p "$room/$part/upper" "$room/$part/work"',
  'mount -t overlay overlay -o "lowerdir=/$part,upperdir=$room/$part/upper,workdir=$room/$part/work" "/$part"',
  'done',
  `for folder in ${EMPTY.join(' ')}`,
  'do [ -d "$folder" ] || continue',
  // A folder that is made anew hides what is below it for good, and packages can remove it, which they could not where something is mounted.
  'owner=$(stat -c %u:%g "$folder"); mode=$(stat -c %a "$folder")',
  'rm -rf "$folder"; mkdir "$folder"; chown "$owner" "$folder"; chmod "$mode" "$folder"',
  'done',
  `for folder in ${EMPTY_IN_MEMORY.join(' ')}`,
  'do mkdir -p "$folder"; mount -t tmpfs tmpfs "$folder"',
  'done',
  'echo begun; exec sleep 3600',
].join('\n');

/** @throws Error with what was said when this is not Linux with root, overlayfs and util-linux */
export async function startDisposableComputer(): Promise<DisposableComputer> {
  const room = await mkdtemp(join(tmpdir(), 'warmvm-e2e-computer-'));
  const spaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
  const child = spawn('unshare', [...spaces, 'sh', '-c', BEGIN, 'sh', room], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(room, { recursive: true, force: true });
  };
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const begun = once(child.stdout, 'data').then(() => true);
  if (!(await Promise.race([begun, ended.then(() => false)]))) {
    await end();
    throw new Error(`no computer to break: ${complaint}`);
  }
  const first = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim();
  return {
    root: `/proc/${first}/root`,
    within: (folder) => ['nsenter', '--target', first, '--mount', '--pid', '--', 'env', '--chdir', folder],
    [Symbol.asyncDispose]: end,
  };
}
