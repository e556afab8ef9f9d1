import { describe, expect, test } from 'vitest';
import { terminalText } from './output.ts';

const HOSTILE = 'a\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m\u009b5m\u202Eb\r\n\tc\u0000\u007f';

describe('what reaches a terminal', () => {
  test('steers nothing: colours of this program, line breaks and tabs are left', () => {
    expect(terminalText(HOSTILE, true)).toBe('a]0;owned[2J\u001b[31mred\u001b[0m5mb\n\tc');
  });

  test('has no colours where none can be shown', () => {
    expect(terminalText(HOSTILE, false)).toBe('a]0;owned[2J[31mred[0m5mb\n\tc');
  });

  test('takes no longer for long sequences that never end', () => {
    const endless = '\u001b['.repeat(500_000);
    expect(terminalText(endless, true)).toHaveLength(500_000);
  });
});
