export { commandLineReference } from './command-line.ts';
export { configJsonSchema } from './config-schema.ts';
