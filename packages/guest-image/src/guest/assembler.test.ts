import { describe, expect, test } from 'vitest';
import { assemble, type Line } from './assembler.ts';

const nothing: Line = { bytes: '90', text: 'nop' };

describe('assemble', () => {
  test('puts bytes and data one after the other', () => {
    expect(hex([{ bytes: '31 c0', text: 'xor eax, eax' }, { data: Buffer.from('a') }])).toBe('31c061');
  });

  test('counts a jump backwards from the line behind it', () => {
    expect(hex([{ label: 'loop' }, nothing, { jump: 'eb', to: 'loop', text: 'jmp loop' }])).toBe('90ebfd');
  });

  test('counts a jump forwards from the line behind it', () => {
    expect(hex([{ jump: '74', to: 'end', text: 'je end' }, nothing, { label: 'end' }])).toBe('740190');
  });

  test('counts an address from the line behind it', () => {
    const load: Line = { bytes: '48 8d 3d', address: 'text', text: 'lea rdi, [rip + text]' };
    expect(hex([load, nothing, { label: 'text' }])).toBe('488d3d0100000090');
  });

  test('puts a word of arm64 down with its lowest byte first', () => {
    expect(hex([{ word: 'd10143ff', text: 'sub sp, sp, #80' }])).toBe('ff4301d1');
  });

  // What GNU as makes of the same lines.
  test('counts a branch of arm64 from itself, in words', () => {
    const branch: Line = { word: '5400000b', branch: 'here', text: 'b.lt here' };
    const word: Line = { word: 'd503201f', text: 'nop' };
    expect(hex([branch, word, { label: 'here' }])).toBe('4b0000541f2003d5');
    expect(hex([{ label: 'here' }, word, branch])).toBe('1f2003d5ebffff54');
  });

  test('counts an address of arm64 from itself, in bytes', () => {
    const address: Line = { word: '10000001', near: 'text', text: 'adr x1, text' };
    expect(hex([address, { data: Buffer.from('abc') }, { label: 'text' }])).toBe('21000070616263');
  });

  test('refuses a branch of arm64 that is too far', () => {
    const far: Line[] = [{ word: 'b5000000', branch: 'end', text: 'cbnz x0, end' }, { data: new Uint8Array(2 ** 20) }];
    expect(() => assemble([...far, { label: 'end' }])).toThrow(/too far for 19 bits/);
  });

  test('refuses a label that is nowhere', () => {
    expect(() => assemble([{ jump: 'eb', to: 'nowhere', text: 'jmp nowhere' }])).toThrow(/no label nowhere/);
  });

  test('refuses a jump that is too far', () => {
    const far: Line[] = [{ jump: 'eb', to: 'end', text: 'jmp end' }, { data: new Uint8Array(128) }, { label: 'end' }];
    expect(() => assemble(far)).toThrow(RangeError);
  });

  test.each(['', '9', 'zz', '90 9'])('refuses %j as bytes', (bytes) => {
    expect(() => assemble([{ bytes, text: 'nonsense' }])).toThrow(/hexadecimal/);
  });
});

function hex(lines: readonly Line[]): string {
  return Buffer.from(assemble(lines)).toString('hex');
}
