import type { SourcePackage } from './package-source.ts';

/**
 * Reads package descriptions as `apt-cache show` prints them. Descriptions without a name, version or digest are left
 * out; of two with one name the first counts.
 */
export function parsePackages(text: string): ReadonlyMap<string, SourcePackage> {
  const packages = new Map<string, SourcePackage>();
  for (const stanza of text.split(/\n{2,}/)) {
    const fields = parseFields(stanza);
    const name = fields.get('package') ?? '';
    const version = fields.get('version') ?? '';
    const sha256 = fields.get('sha256') ?? '';
    if (packages.has(name) || !isPackageName(name) || !isVersion(version) || !/^[0-9a-f]{64}$/.test(sha256)) continue;
    const relations = [fields.get('pre-depends'), fields.get('depends')];
    packages.set(name, { name, version, sha256, dependencies: relations.flatMap((field) => parseRelations(field)) });
  }
  return packages;
}

/** Reads a `Depends` field: groups that are all needed, each with its alternatives. Versions and architectures are dropped. */
export function parseRelations(field: string | undefined): string[][] {
  return (field ?? '')
    .split(',')
    .map((group) => group.split('|').map((name) => name.replace(/[:([<].*$/s, '').trim()))
    .map((names) => names.filter(isPackageName))
    .filter((names) => names.length > 0);
}

/** Whether this is a name as Debian allows it; such a name is safe as an argument and as a file name. */
export function isPackageName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.+-]{0,127}$/.test(name);
}

function isVersion(version: string): boolean {
  return /^[0-9][A-Za-z0-9.+:~-]{0,127}$/.test(version);
}

function parseFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of stanza.split('\n')) {
    if (/^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ''} ${line.trim()}`);
      continue;
    }
    const separator = line.indexOf(':');
    current = line.slice(0, Math.max(0, separator)).toLowerCase();
    fields.set(current, line.slice(separator + 1).trim());
  }
  return fields;
}
