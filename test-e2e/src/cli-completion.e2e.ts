import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN } from './support/main-program.ts';
import { runOnTerminal } from './support/terminal.ts';

const execute = promisify(execFile);

let folder: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-completion-'));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'warmvm'), { mode: 0o700 });
  const program = `#!/bin/sh\nexec ${process.execPath} --conditions=@warmvm/source --no-warnings ${MAIN} "$@"\n`;
  await writeFile(join(folder, 'bin', 'warmvm'), program, { mode: 0o755 });
  await writeFile(join(folder, 'warmvm', 'nightly.sock'), '');
  await writeFile(join(folder, 'my settings.json'), '{}');
  const PATH = `${join(folder, 'bin')}:${process.env.PATH}`;
  environment = { ...process.env, PATH, HOME: folder, XDG_RUNTIME_DIR: folder, XDG_DATA_HOME: folder };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a shell offers in place of the last word, once its completion is loaded. */
const OFFERS: Readonly<Record<string, (words: readonly string[]) => Promise<readonly string[]>>> = {
  async bash(words) {
    // As the line editor calls the function; its words are what it made of the line.
    const script = `eval "$(warmvm completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _warmvm; printf "%s\\n" "\${COMPREPLY[@]}"`;
    return run('bash', ['--norc', '-c', script, 'bash', 'warmvm', ...words]);
  },
  async zsh(words) {
    // `compadd` is what every completion of zsh ends in; it works inside of the line editor alone.
    const script = [
      'compdef() { : }',
      'eval "$(warmvm completion zsh)"',
      '_describe() { for each in $candidates; do print -r -- $each[(ws.:.)1]; done }',
      'compset() { : }',
      '_files() { print -rl -- *json* }',
      'words=(warmvm "$@")',
      'CURRENT=$#words',
      '_warmvm || true',
    ];
    return run('zsh', ['-f', '-c', script.join('\n'), 'zsh', ...words]);
  },
  async fish(words) {
    const line = ['warmvm', ...words].join(' ');
    const lines = await run('fish', ['--no-config', '-c', 'warmvm completion fish | source; complete -C $argv', line]);
    return lines.map((each) => each.split('\t')[0] ?? '');
  },
};

async function run(shell: string, words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await execute(shell, words, { cwd: folder, env: environment });
  return stdout.split('\n').filter((line) => line !== '');
}

describe.each(['bash', 'zsh', 'fish'])('%s', (shell) => {
  test.each([
    [
      ['pool', 'st'],
      ['start', 'status'],
    ],
    [['run', '--time'], ['--timeout']],
    [['start', '--driver', 'libvirt-'], ['libvirt-ssh']],
    [['run', '--driver', 'q'], ['qemu']],
    [['top', '--pool', ''], ['nightly']],
    [['run', '--image', ''], ['tiny']],
    [['run', '--', ''], []],
  ])('completes warmvm %j to %j', async (words, expected) => {
    const offered = await OFFERS[shell]?.(words);
    expect(offered?.toSorted()).toEqual(expected);
  });

  test('completes files where a file is wanted', async () => {
    const offered = await OFFERS[shell]?.(['run', '--config', 'my']);
    expect(offered?.map((file) => file.replaceAll('\\', ''))).toEqual(['my settings.json']);
  });

  test('runs nothing of the line', async () => {
    const planted = 'touch planted';
    await OFFERS[shell]?.(['run', `$(${planted})`, `\`${planted}\``, '']);
    expect(await run('ls', [])).not.toContain('planted');
  });
});

const quietly = (): string => `cd ${folder}; HOME=${folder} PATH=${environment.PATH} XDG_RUNTIME_DIR=${folder}`;

describe('at a terminal', () => {
  test.each([
    ['bash', 'bash --norc -i', 'eval "$(warmvm completion bash)"'],
    ['zsh', 'zsh -f -i', 'autoload -U compinit; compinit -u; eval "$(warmvm completion zsh)"'],
    ['fish', 'fish --no-config -i', 'warmvm completion fish | source'],
  ])('%s completes what is typed, also after an = and with blanks in names', async (_shell, command, load) => {
    await using shell = runOnTerminal(`${quietly()} PS1='$ ' ${command}`, 120);
    shell.type(`${load}; echo load''ed\r`);
    await shell.shows(/^loaded/);
    shell.type('warmvm pool stat\t');
    await shell.shows(/warmvm pool status/);
    shell.type('--po\t');
    await shell.shows(/warmvm pool status --pool/);
    shell.type('\u0015warmvm pool status --pool=night\t');
    await shell.shows(/warmvm pool status --pool=nightly/);
    shell.type('\u0015warmvm run --config my\t');
    await shell.shows(/warmvm run --config my\\ settings\.json/);
    shell.type('\u0015exit\r');
    await shell.ended();
  });
});
