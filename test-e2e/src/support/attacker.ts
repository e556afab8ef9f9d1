// A QEMU that was broken out of: runs as the user of one machine, in its folder, and tries to get at everything else, again and again. It
// prints what it gained, a line each. Runs as text, with nothing imported from the repository, which its user may not read. One
// argument: {@link Attack} as JSON.
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

interface Attack {
  readonly stateDirectory: string;
  /** Machines, by their ids. The attacker was the QEMU of the first. */
  readonly machines: readonly string[];
  /** A file that only root may read. */
  readonly secret: string;
  /** A folder of files that only root may remove. */
  readonly precious: string;
}

const { stateDirectory, machines, secret, precious } = JSON.parse(process.argv.at(-1) ?? '') as Attack;
const gained = new Set<string>();
/** That of the neighbour, which anybody may guess; the suite says it. */
let generation = 1;
process.stdin.on('data', (chunk) => {
  generation = Number(chunk.toString().trim().split('\n').at(-1));
});

function attempt(what: string, attack: () => unknown): void {
  try {
    attack();
  } catch {
    return;
  }
  gain(what);
}

function gain(what: string): void {
  if (gained.has(what)) return;
  gained.add(what);
  process.stdout.write(`${what}\n`);
}

function quietly<Result>(work: () => Result, otherwise: Result): Result {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** Processes of the machines; of each its machine and its words. */
function qemus(): { pid: string; machine: string; words: string }[] {
  return readdirSync('/proc').flatMap((pid) => {
    const words = quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '');
    const machine = machines.find((id) => words.includes(`guest=${id}`));
    return machine !== undefined && /^\S*qemu-system-/.test(words) ? [{ pid, machine, words }] : [];
  });
}

function overwrite(path: string): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, 'poison', 8192);
  } finally {
    closeSync(file);
  }
}

function attackTemplate({ pid, words }: { pid: string; words: string }): void {
  const inherited = quietly(() => readdirSync(`/proc/${pid}/fd`), []).map((name) => `/proc/${pid}/fd/${name}`);
  const shared = inherited.filter((path) => /memory|template|goldens/.test(quietly(() => readlinkSync(path), '')));
  const named = (words.match(/\/[^",\0]+/g) ?? []).filter((path) => path.includes('/goldens/'));
  for (const path of [...shared, ...named]) attempt('wrote to the template', () => overwrite(path));
}

function attackNeighbour({ pid, words }: { pid: string; words: string }): void {
  attempt('may end a neighbour', () => process.kill(Number(pid), 0));
  attempt('opened the memory of a neighbour', () => closeSync(openSync(`/proc/${pid}/mem`, 'r+')));
  attempt('reads the descriptors of a neighbour', () => readdirSync(`/proc/${pid}/fd`));
  for (const path of words.match(/\/[^",\0]+/g) ?? []) {
    if (path.startsWith(`${stateDirectory}/machines`))
      attempt('opened a file of a neighbour', () => closeSync(openSync(path, 'r')));
  }
}

function attackSockets(): void {
  for (const line of quietly(() => readFileSync('/proc/net/unix', 'utf8'), '').split('\n')) {
    const path = line.split(' ').at(-1) ?? '';
    if (!path.startsWith(stateDirectory) || path.includes(machines[0] ?? '')) continue;
    const socket = connect(path, () => {
      gain('connected to a socket of a neighbour');
      socket.destroy();
    });
    socket.on('error', () => {});
  }
}

/** Folders in which the driver makes and removes things: this machine's and all that can be named or seen. */
function folders(): string[] {
  const known = machines.map((id) => `${stateDirectory}/machines/${id}`);
  const found = known.flatMap((folder) => [
    folder,
    ...[0, 1, 2].map((ahead) => `${folder}/body-${generation + ahead}`),
    ...quietly(() => readdirSync(folder), []).map((name) => `${folder}/${name}`),
  ]);
  return ['.', '..', stateDirectory, `${stateDirectory}/machines`, `${stateDirectory}/marks`, ...found];
}

/** What the driver names next gets another meaning. */
function attackFolder(folder: string): void {
  attempt('made a file in a folder of the driver', () => writeFileSync(`${folder}/planted`, ''));
  for (const name of quietly(() => readdirSync(folder), [])) {
    if (!/^(o\w+|heir|s)$/.test(name)) continue;
    attempt('put a link in the place of a socket', () => {
      unlinkSync(`${folder}/${name}`);
      symlinkSync(secret, `${folder}/${name}`);
    });
  }
  attempt('put a link in the place of a folder', () => {
    quietly(() => mkdirSync(`${folder}/trap`), undefined);
    renameSync(`${folder}/trap`, `${folder}/kept`);
    symlinkSync(precious, `${folder}/trap`);
    unlinkSync(`${folder}/trap`);
    renameSync(`${folder}/kept`, `${folder}/trap`);
  });
}

for (;;) {
  const running = qemus();
  for (const qemu of running) {
    attackTemplate(qemu);
    if (qemu.machine !== machines[0]) attackNeighbour(qemu);
  }
  attackSockets();
  for (const folder of folders()) attackFolder(folder);
  attempt('read a file of root', () => readFileSync(secret));
  // The sockets answer; and the driver, which shares this computer, goes on.
  await wait(5);
}
