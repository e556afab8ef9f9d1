#!/usr/bin/env node
import { keepCompiled } from './compile-cache.ts';

// Before anything else is loaded: what is compiled once need not be compiled again.
keepCompiled();
const { main } = await import('./run-program.ts');
await main();
