import { type OptionRules, optionsSchema } from '@warmvm/core/driver';
import { fakeOptionRules } from '@warmvm/driver-fake';
import { libvirtOptionRules } from '@warmvm/driver-libvirt';
import { libvirtSshOptionRules } from '@warmvm/driver-libvirt-ssh';
import { qemuOptionRules } from '@warmvm/driver-qemu';
import { z } from 'zod';
import { ConfigSchema } from '../config/schema.ts';

const RULES: Readonly<Record<string, OptionRules>> = {
  fake: fakeOptionRules,
  qemu: qemuOptionRules,
  libvirt: libvirtOptionRules,
  'libvirt-ssh': libvirtSshOptionRules,
};

/** `config.schema.json` of the package: what editors check a `warmvm.config.json` with. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(ConfigSchema, {
    io: 'input',
    override({ jsonSchema }) {
      // Which options there are depends on the driver; those of drivers of other people are theirs to check.
      if (jsonSchema.properties?.use !== undefined) {
        jsonSchema.allOf = Object.keys(RULES).map((use) => ({
          if: { properties: { use: { const: use } }, required: ['use'] },
          // biome-ignore lint/suspicious/noThenProperty: the word of JSON schema
          then: { properties: { options: { $ref: `#/$defs/${use}` } } },
        }));
      }
    },
  });
  const $defs = Object.fromEntries(Object.entries(RULES).map(([use, rules]) => [use, optionsSchema(rules)]));
  return `${JSON.stringify({ title: 'warmvm.config.json', ...schema, $defs }, null, 2)}\n`;
}
