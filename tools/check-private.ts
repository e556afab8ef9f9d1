// No committed file may name a registry host or a folder of somebody's machine: both break the clone of the next one.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { root } from './lib/repository.ts';
import { run } from './lib/run.ts';

// Written in pieces so that this file does not find itself.
const HOSTS = ['registry.npmjs', 'registry.yarnpkg', 'registry.npmmirror', 'npm.pkg.github'].map((host) => `${host}.`);

/** What must not occur, each with the reason. `machine` are folders and hosts of the machine that checks. */
export function privatePatterns(machine: {
  readonly folders: readonly string[];
  readonly hosts: readonly string[];
}): readonly (readonly [RegExp, string])[] {
  const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const specific = machine.folders.filter((folder) => folder.split('/').filter((part) => part !== '').length > 1);
  return [
    ...[...HOSTS, ...machine.hosts].map((host) => [new RegExp(literally(host)), 'names a registry host'] as const),
    [/(?<![\w./-])\/(?:home|Users)\/(?!USER|user\b|\$|<)[A-Za-z0-9_.-]+\//, 'names a home folder'],
    ...specific.map(
      (folder) =>
        [new RegExp(`(?<![\\w.-])${literally(folder)}(?![\\w.-])`), 'names a folder of this machine'] as const,
    ),
  ];
}

/** Lines of a text that match, as `file:line: reason`. */
export function privateFindings(
  file: string,
  text: string,
  patterns: readonly (readonly [RegExp, string])[],
): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      patterns
        .filter(([pattern]) => pattern.test(line))
        .map(([pattern, reason]) => `${file}:${index + 1}: ${reason} (${pattern.source})`),
    );
}

/** Checks every committed file of this checkout. */
export async function checkPrivate(signal: AbortSignal): Promise<GateOutcome> {
  const listed = await run('git', ['ls-files', '-z'], { signal });
  if (listed.exitCode !== 0) return { kind: 'failed', details: `git ls-files: ${listed.output}` };
  const registry = await run('npm', ['config', 'get', 'registry', '--loglevel=silent'], { signal });
  const address = /https?:\/\/[^\s/]+/.exec(registry.output)?.[0];
  const hosts = address === undefined ? [] : [new URL(address).host];
  const patterns = privatePatterns({ folders: [root, homedir()], hosts });
  const files = listed.output.split('\0').filter((file) => file !== '');
  const findings = files.flatMap((file) => {
    try {
      return privateFindings(file, readFileSync(join(root, file), 'utf8'), patterns);
    } catch (error) {
      // Listed but deleted in the working tree, or a link to nowhere.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
  if (findings.length > 0) return { kind: 'failed', details: findings.join('\n') };
  return { kind: 'passed', note: `${files.length} files` };
}
