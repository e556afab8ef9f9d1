import { z } from 'zod';
import { ConfigSchema } from '../config/schema.ts';

/** `config.schema.json` of the package: what editors check a `warmvm.config.json` with. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(ConfigSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'warmvm.config.json', ...schema }, null, 2)}\n`;
}
