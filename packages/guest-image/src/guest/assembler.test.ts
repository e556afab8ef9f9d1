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
