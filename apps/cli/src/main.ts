#!/usr/bin/env node
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';

try {
  await createProgram({
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
  }).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}
