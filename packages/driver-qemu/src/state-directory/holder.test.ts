import { describe, expect, test } from 'vitest';
import { currentHolder, fateOf } from './holder.ts';

const self = currentHolder();
const with_ = (changes: Partial<typeof self.process>, host: string = self.host) => ({
  process: { ...self.process, ...changes },
  host,
});

describe('fateOf', () => {
  test('knows that this process lives, and that another start of its id does not', () => {
    expect(fateOf(self)).toBe('alive');
    expect(fateOf(with_({ startTime: '1' }))).toBe('dead');
    expect(fateOf(with_({ pid: 2 ** 30 }))).toBe('dead');
  });

  test('knows that nobody of an earlier boot of this computer lives', () => {
    expect(fateOf(with_({ bootId: '00000000-0000-0000-0000-000000000000-4026531836' }))).toBe('dead');
  });

  test('concludes nothing of another computer, nor of another container of this boot', () => {
    expect(fateOf(with_({ bootId: '00000000-0000-0000-0000-000000000000-1' }, 'elsewhere'))).toBe('unknown');
    expect(fateOf(with_({ bootId: self.process.bootId.replace(/-\d+$/, '-1') }))).toBe('unknown');
  });
});
