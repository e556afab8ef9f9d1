// Who may import what, in shipped sources. `turbo boundaries` sees packages; this sees doors and single files.
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { filesBelow, publicPackages, root, type WorkspacePackage } from './lib/repository.ts';

/** Tags of packages that see only the driver's door of core. A `dialer` is a driver with another way to its host. */
const BEHIND_THE_DOOR = ['driver', 'dialer', 'client', 'kit'];

/** Tags of packages that depend on no driver. An `integration` ties the pool to another library. */
const WITHOUT_DRIVERS = ['driver', 'client', 'kit', 'integration'];

/** The module specifiers of a source text: static and dynamic imports, and re-exports. */
export function importedModules(source: string): readonly string[] {
  const statements = /^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom\s*)?\s*['"]([^'"]+)['"]/gm;
  const calls = /\bimport\(\s*['"]([^'"]+)['"]/g;
  const withoutComments = source.replaceAll(/^\s*\/?\*.*$|^\s*\/\/.*$/gm, '');
  return [statements, calls].flatMap((pattern) =>
    [...withoutComments.matchAll(pattern)].map((match) => match[1] as string),
  );
}

/** Name of the package that a specifier leads to. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** True for a file that is published. */
export function isShipped(file: string): boolean {
  return /\.(ts|mts)$/.test(file) && !/(\.test|\.test-d|\.e2e)\.ts$|\/fixtures\//.test(file);
}

/** Why one import is not allowed, or undefined. */
export function importProblem(
  owner: WorkspacePackage,
  specifier: string,
  drivers: ReadonlySet<string>,
): string | undefined {
  const { manifest, tags } = owner;
  if (specifier.startsWith('.')) return specifier.endsWith('.ts') ? undefined : 'relative imports end in .ts';
  if (specifier.startsWith('node:')) return undefined;
  if (isBuiltin(specifier)) return `write node:${specifier}`;
  const target = packageOf(specifier);
  if (target === manifest.name) return 'a package does not import itself by name';
  if (tags.includes('contract')) return 'core imports nothing but itself and Node';
  if (tags.some((tag) => BEHIND_THE_DOOR.includes(tag))) {
    if (target === '@warmvm/core' && specifier !== '@warmvm/core/driver') {
      return 'of core, only "@warmvm/core/driver" may be imported here';
    }
  }
  if (drivers.has(target) && tags.some((tag) => WITHOUT_DRIVERS.includes(tag))) {
    return 'only a dialer depends on a driver';
  }
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  return target in declared ? undefined : `${target} is not among the dependencies of ${manifest.name}`;
}

/** Everything that is wrong in the packages below `base`. */
export function importProblems(base: string = root): readonly string[] {
  const packages = publicPackages(base);
  const isDriver = ({ tags }: WorkspacePackage): boolean => tags.includes('driver') || tags.includes('dialer');
  const drivers = new Set(packages.filter(isDriver).map(({ manifest }) => manifest.name));
  return packages.flatMap((owner) => {
    const { manifest, tags, folder } = owner;
    const declared = Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
    });
    const dependencies =
      tags.includes('contract') && declared.length > 0
        ? [`${folder}/package.json: core has no dependencies: ${declared.join(', ')}`]
        : [];
    const tagless = tags.length === 0 ? [`${folder}/turbo.json: one tag is needed, such as "driver"`] : [];
    const imports = filesBelow(base, `${folder}/src`)
      .filter(isShipped)
      .flatMap((file) =>
        importedModules(readFileSync(join(base, file), 'utf8')).flatMap((specifier) => {
          const problem = importProblem(owner, specifier, drivers);
          return problem === undefined ? [] : [`${file}: "${specifier}": ${problem}`];
        }),
      );
    return [...dependencies, ...tagless, ...imports];
  });
}

/** Checks this checkout. */
export function checkImports(): GateOutcome {
  const problems = importProblems();
  return problems.length > 0 ? { kind: 'failed', details: problems.join('\n') } : { kind: 'passed' };
}
