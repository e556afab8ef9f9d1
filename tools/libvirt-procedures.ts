// Keeps the table of libvirt's procedures in step with the client: `node --conditions=@warmvm/source tools/libvirt-procedures.ts [--check]`.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { root } from './lib/repository.ts';

const file = 'docs/libvirt-procedures.md';

type Fields = Readonly<Record<string, string>>;

const fieldsText = (fields: Fields, isOptional: (name: string) => boolean): string =>
  Object.entries(fields)
    .map(([name, type]) => `\`${name}${isOptional(name) ? '?' : ''}: ${type}\``)
    .join(', ');

/** The text of the table. */
export async function procedureTable(): Promise<string> {
  // Loaded late: it needs the sources of the workspace, which the other gates do without.
  const { procedures } = await import('../packages/libvirt/src/procedures/index.ts');
  const { defaultOf } = await import('../packages/libvirt/src/procedures/defaults.ts');
  type Entry = { readonly args: Fields; readonly ret: Fields; readonly slow?: true; readonly stream?: string };
  const rows = (Object.entries(procedures) as unknown as [string, Entry][])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => {
      const isOptional = (field: string): boolean => defaultOf(name, entry as never, field) !== undefined;
      const remark = [entry.slow ? 'slow' : '', entry.stream ? `stream: ${entry.stream}` : '']
        .filter(Boolean)
        .join(', ');
      return `| \`${name}\` | ${fieldsText(entry.args, isOptional)} | ${fieldsText(entry.ret, () => false)} | ${remark} |`;
    });
  return `<!-- Made by tools/libvirt-procedures.ts from packages/libvirt. Do not edit. -->
# Procedures of the libvirt client

Every call that \`client.call(name, args)\` of [@warmvm/libvirt](../packages/libvirt/README.md) makes: ${rows.length} procedures.
A procedure is named as in libvirt: \`virDomainGetState\` is \`domainGetState\`.

- \`name?:\` may be left out: the client sends the usual value. A type that ends in \`?\` may be missing altogether.
- \`i32\`, \`u32\` and smaller are numbers, \`i64\` and \`u64\` are bigint, \`type[max]\` is an array, \`bytes\` is a Uint8Array, \`chars\` is text.
- \`domain\`, \`network\`, \`pool\`, \`volume\`, \`secret\` and the like are what look-ups and lists return.
- \`param\` is a typed parameter. \`client.parameters(name, args)\` returns the field \`params\` by name.
- Slow procedures wait for a guest or a disk: they run on a second connection with \`slowCallTimeoutMs\`. Streams open with \`openStream\`.

| procedure | arguments | results | |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** Compares the generated file with the client, or rewrites it. */
export async function libvirtProcedures(mode: 'check' | 'write', base: string = root): Promise<GateOutcome> {
  const wanted = await procedureTable();
  const path = join(base, file);
  if ((await readFile(path, 'utf8').catch(() => '')) === wanted) return { kind: 'passed' };
  if (mode === 'check') {
    const command = 'node --conditions=@warmvm/source tools/libvirt-procedures.ts';
    return { kind: 'failed', details: `stale: ${file}; run ${command}` };
  }
  await writeFile(path, wanted);
  return { kind: 'passed', note: `rewritten: ${file}` };
}

if (import.meta.main) {
  const outcome = await libvirtProcedures(process.argv.includes('--check') ? 'check' : 'write');
  console.log(outcome.kind === 'failed' ? outcome.details : 'note' in outcome ? (outcome.note ?? 'ok') : 'ok');
  process.exitCode = outcome.kind === 'failed' ? 1 : 0;
}
