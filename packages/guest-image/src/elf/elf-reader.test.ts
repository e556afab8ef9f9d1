import { readFile } from 'node:fs/promises';
import { isWarmvmError } from '@warmvm/core/driver';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { buildElf } from '../fixtures/build-elf.ts';
import { readElfDynamic, readModuleInfo } from './elf-reader.ts';

const { x86_64: x86, aarch64: arm } = ARCHITECTURES;
const program = buildElf({ needed: ['libone.so.1', 'libtwo.so'], interpreter: '/lib64/loader' });
const module = buildElf({ moduleInfo: 'license=GPL\0depends=a,b\0depends=late\0novalue\0=empty\0' });

describe('readElfDynamic', () => {
  test('finds the libraries in order and the dynamic loader', () => {
    expect(readElfDynamic(program, 'program', x86)).toEqual({
      needed: ['libone.so.1', 'libtwo.so'],
      interpreter: '/lib64/loader',
    });
  });

  test.runIf(process.platform === 'linux' && process.arch === 'x64')('reads a real program, Node itself', async () => {
    const { needed } = readElfDynamic(await readFile(process.execPath), 'node', x86);
    expect(needed).toContain('libc.so.6');
  });

  test('finds nothing in a static program', () => {
    expect(readElfDynamic(buildElf({}), 'static', x86)).toEqual({ needed: [] });
  });

  test('reads a program for arm64, and refuses it where x86-64 is wanted', () => {
    const foreign = buildElf({ needed: ['libone.so.1'], machine: arm.elfMachine });
    expect(readElfDynamic(foreign, 'program', arm)).toEqual({ needed: ['libone.so.1'] });
    expect(() => readElfDynamic(program, 'thing', arm)).toThrow(/^thing: not a 64-bit arm64 ELF file/);
  });

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['a script', Buffer.from(`#!/bin/sh\n${' '.repeat(100)}`)],
    ['another processor', patched(program, 18, arm.elfMachine)],
    ['a 32-bit file', patched(program, 4, 1)],
  ])('refuses %s by name', (_, bytes) => {
    expect(() => readElfDynamic(bytes, 'thing', x86)).toThrow(/^thing: not a 64-bit x86-64 ELF file/);
  });

  test('refuses names that lie outside of what is loaded', () => {
    const damaged = Buffer.from(program);
    damaged.writeBigUInt64LE(1n, 64 + 32);
    expect(() => readElfDynamic(damaged, 'thing', x86)).toThrow(/library names lies outside/);
  });

  test('refuses a table with more entries than any linker writes', () => {
    const damaged = Buffer.from(program);
    damaged.writeUInt16LE(60_000, 56);
    expect(() => readElfDynamic(damaged, 'thing', x86)).toThrow(/a table of 60000 entries/);
  });

  test('refuses a string without an end', () => {
    const damaged = Buffer.from(program);
    damaged.writeBigUInt64LE(3n, 64 + 2 * 56 + 32);
    expect(() => readElfDynamic(damaged, 'thing', x86)).toThrow(/does not end/);
  });

  test('answers or throws a typed error on any damage', () => {
    survivesDamage(program, (bytes) => readElfDynamic(bytes, 'damaged', x86));
  });
});

describe('readModuleInfo', () => {
  test('finds the first value of each key', () => {
    expect([...readModuleInfo(module, 'module', x86)]).toEqual([
      ['license', 'GPL'],
      ['depends', 'a,b'],
    ]);
  });

  test('refuses a file that is no module', () => {
    expect(() => readModuleInfo(program, 'thing', x86)).toThrow(/^thing: no kernel module/);
  });

  test('refuses a file whose section names are nowhere', () => {
    expect(() => readModuleInfo(patched(module, 62, 9), 'thing', x86)).toThrow(/no kernel module/);
  });

  test('answers or throws a typed error on any damage', () => {
    survivesDamage(module, (bytes) => readModuleInfo(bytes, 'damaged', x86));
  });
});

function patched(source: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(source);
  copy[offset] = value;
  return copy;
}

function survivesDamage(source: Buffer, read: (bytes: Buffer) => unknown): void {
  const change = fc.record({ offset: fc.nat(source.length - 1), value: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.nat(source.length), (changes, length) => {
      const bytes = Buffer.from(source);
      for (const { offset, value } of changes) bytes[offset] = value;
      try {
        read(bytes.subarray(0, length));
      } catch (error) {
        if (!isWarmvmError(error, 'WARMVM_GOLDEN_INVALID')) throw error;
      }
    }),
    { numRuns: 1000 },
  );
}
