import { describe, expect, test } from 'vitest';
import { identityFor } from './identity.ts';

describe('identityFor', () => {
  test('makes of any machine name a host name that may be one', () => {
    const { hostname } = identityFor(`warmvm-${'a_'.repeat(28)}-----`);
    expect(hostname).toMatch(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
  });

  test('is new each time', () => {
    const [one, other] = [identityFor('x'), identityFor('x')];
    expect(one.machineId).toMatch(/^[0-9a-f]{32}$/);
    expect(one.machineId).not.toBe(other.machineId);
    expect(one.seed).toHaveLength(64);
    expect(one.seed).not.toEqual(other.seed);
  });
});
