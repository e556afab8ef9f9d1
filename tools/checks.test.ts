import { describe, expect, test } from 'vitest';
import { lostCauses } from './check-causes.ts';
import { caseIdsOf, clauseProblems, clausesOf } from './check-clauses.ts';
import { documentedCodes, errorTableProblems } from './check-errors.ts';
import { importedModules, importProblem, isShipped, packageOf } from './check-imports.ts';
import { privateFindings, privatePatterns } from './check-private.ts';
import type { WorkspacePackage } from './lib/repository.ts';
import { entryPoints, importEverything, packedProblems } from './pack-smoke.ts';
import { realSuitesMandatory } from './real-hosts.ts';

function packageWith(tag: string, dependencies: Record<string, string> = {}): WorkspacePackage {
  return { folder: 'packages/x', tags: [tag], manifest: { name: '@warmvm/x', version: '1.0.0', dependencies } };
}

describe('imports', () => {
  test('are found however they are written', () => {
    const source = `import a from 'a';\nimport {\n  b,\n} from "b";\nimport 'c';\nexport * from 'd';\nexport type { E } from 'e';\nawait import('f');`;
    expect(importedModules(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('are not looked for in comments, and a plain export is none', () => {
    expect(importedModules(" * import x from 'x';\n// import y from 'y';\nexport const z = 'z';")).toEqual([]);
  });

  test('belong to packages', () => {
    expect([packageOf('@warmvm/core/driver'), packageOf('ssh2/lib')]).toEqual(['@warmvm/core', 'ssh2']);
  });

  test.each([
    ['contract', '@warmvm/libvirt', /core imports nothing/],
    ['driver', '@warmvm/core', /only "@warmvm\/core\/driver"/],
    ['client', '@warmvm/core/testing', /only "@warmvm\/core\/driver"/],
    ['driver', '@warmvm/driver-y', /only a dialer/],
    ['kit', '@warmvm/driver-y', /only a dialer/],
    ['integration', '@warmvm/driver-y', /only a dialer/],
    ['driver', 'left-pad', /not among the dependencies/],
    ['app', 'fs', /node:fs/],
    ['app', './x', /end in \.ts/],
  ])('a %s package must not import %s', (tag, specifier, problem) => {
    expect(importProblem(packageWith(tag), specifier, new Set(['@warmvm/driver-y']))).toMatch(problem);
  });

  test('a driver may import the contract, its clients, Node and its own files', () => {
    const driver = packageWith('driver', { '@warmvm/core': '1', '@warmvm/libvirt': '1' });
    const allowed = ['@warmvm/core/driver', '@warmvm/libvirt', 'node:net', './x.ts'];
    expect(allowed.map((specifier) => importProblem(driver, specifier, new Set()))).toEqual(
      allowed.map(() => undefined),
    );
  });

  test('an integration may import all of core', () => {
    const integration = packageWith('integration', { '@warmvm/core': '1' });
    expect(importProblem(integration, '@warmvm/core', new Set())).toBeUndefined();
  });

  test('a dialer may import the driver it dials for', () => {
    const dialer = packageWith('dialer', { '@warmvm/driver-y': '1' });
    expect(importProblem(dialer, '@warmvm/driver-y', new Set(['@warmvm/driver-y']))).toBeUndefined();
  });

  test('tests and fixtures are not shipped', () => {
    expect(['src/a.ts', 'src/a.test.ts', 'src/a.test-d.ts', 'src/fixtures/a.ts', 'src/a.json'].map(isShipped)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('causes', () => {
  test('an error that replaces a caught one without naming it is found by its line', () => {
    expect(lostCauses("try {\n  f();\n} catch (error) {\n  throw new WarmvmError('X', 'no');\n}")).toEqual([4]);
  });

  test('one that carries it is fine, as is one outside', () => {
    expect(
      lostCauses("try { f(); } catch (cause) { throw new WarmvmError('X', 'no', { cause }); } throw new Error('x');"),
    ).toEqual([]);
  });
});

describe('the error table', () => {
  test('is compared both ways', () => {
    const text = '| `WARMVM_A` | x |\n## WARMVM_B\n| WARMVM_B |\ntext about WARMVM_D';
    expect(documentedCodes(text)).toEqual(['WARMVM_A', 'WARMVM_B', 'WARMVM_B']);
    expect(errorTableProblems(text, ['WARMVM_A', 'WARMVM_C'])).toEqual([
      'WARMVM_C is thrown but not documented',
      'WARMVM_B is documented but unknown',
      'WARMVM_B is documented twice',
    ]);
  });
});

describe('private things', () => {
  const patterns = privatePatterns({ folders: ['/srv/checkout', '/root'], hosts: ['mirror.example'] });
  const findings = (line: string) => privateFindings('f', line, patterns).length;

  test('hosts and folders of this machine are found', () => {
    const home = ['', 'home', 'ann', 'x'].join('/');
    expect([findings('at https://mirror.example/x'), findings('cd /srv/checkout/a'), findings(`in ${home}`)]).toEqual([
      1, 1, 1,
    ]);
  });

  test('what every machine has is no secret', () => {
    expect([findings('/root/file in the guest'), findings('/srv/checkouts'), findings('packages/home/x')]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('packed packages', () => {
  const manifest = {
    name: '@warmvm/x',
    version: '1.0.0',
    exports: { '.': './a.js', './driver': './b.js', './package.json': './package.json' },
  };

  test('every entry point is imported', () => {
    expect(entryPoints(manifest)).toEqual(['@warmvm/x', '@warmvm/x/driver']);
    expect(importEverything(['@warmvm/x'])).toContain("import * as entry0 from '@warmvm/x';");
  });

  const whole = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts.map', 'src/pool/pool.ts'];

  test('hold what runs, its types, its sources and what explains it', () => {
    expect(packedProblems(manifest, [...whole, 'config.schema.json', 'CHANGELOG.md'])).toEqual([]);
  });

  test.each([
    'src/a.test.ts',
    'src/a.test-d.ts',
    'src/fixtures/a.ts',
    'src/laws/fixtures/world.ts',
    'src/node_modules/.vite/results.json',
    'tsconfig.json',
    'dist/.tsbuildinfo',
    '.npmrc',
    'coverage/index.html',
  ])('do not hold %s', (file) => {
    expect(packedProblems(manifest, [...whole, file])).toEqual([`@warmvm/x ships ${file}`]);
  });

  test('with workspace ranges, without README or LICENSE are refused', () => {
    expect(packedProblems({ ...manifest, dependencies: { y: 'workspace:^' } }, ['package.json'])).toEqual([
      '@warmvm/x ships a package.json with "workspace:"',
      '@warmvm/x ships no README.md',
      '@warmvm/x ships no LICENSE',
    ]);
  });
});

describe('real suites', () => {
  test.each([
    [{}, false],
    [{ CI: 'true' }, true],
    [{ CI: 'false' }, false],
    [{ WARMVM_REAL: '1' }, true],
  ])('%j makes them mandatory: %s', (environment, mandatory) => {
    expect(realSuitesMandatory(environment)).toBe(mandatory);
  });
});

describe('clauses', () => {
  const written = '- **LIFE-1** It MUST live.\n- **LIFE-2** It MAY rest.\nnot **LIFE-3** this\n';

  test('are list entries that begin with their id', () => {
    expect(clausesOf(written)).toEqual([
      { id: 'LIFE-1', text: 'It MUST live.' },
      { id: 'LIFE-2', text: 'It MAY rest.' },
    ]);
  });

  test('are proved by the cases that name them, with or without a suffix', () => {
    const ids = caseIdsOf("kitCase('LIFE-1', 'x'),\nkitCase(\n  'LIFE-2.resting',");
    expect(ids).toEqual(['LIFE-1', 'LIFE-2.resting']);
    expect(clauseProblems(clausesOf(written), ids)).toEqual([]);
  });

  test('that are missing on either side, written twice, left out or vague are told', () => {
    const clauses = clausesOf('- **A-1** MUST\n- **A-1** MAY\n- **A-3** It is nice.\n');
    expect(clauseProblems(clauses, ['A-1', 'A-1', 'B-1'])).toEqual([
      'clause A-3 has no case in the kit',
      'case B-1 has no clause in docs/driver-contract.md',
      'clause A-1 is written down twice',
      'case A-1 is there twice',
      'clause A-2 is left out: the numbers of a group have no gaps',
      'clause A-3 says neither MUST nor MAY',
    ]);
  });
});
