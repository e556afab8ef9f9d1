import type { Safeguard } from '@warmvm/core';

/** What confines machines, in lines for people: one for all that is active, and one for each that is not, with what to do. */
export function containmentText(safeguards: readonly Safeguard[]): string {
  if (safeguards.length === 0) return '';
  const active = safeguards.filter((safeguard) => safeguard.active).map(({ name }) => name);
  const lacking = safeguards
    .filter((safeguard) => !safeguard.active)
    .map(({ name, detail, remedy }) => `  not contained: ${name}: ${detail}; to mend it: ${remedy}\n`);
  return `  contained: ${active.join('; ') || 'nothing'}\n${lacking.join('')}`;
}
