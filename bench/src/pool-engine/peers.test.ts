import { describe, expect, test } from 'vitest';
import { PEERS } from './peer-contenders.ts';
import { missingPeers, PEER_NAMES } from './peers.ts';

describe('the pools to compare with', () => {
  test('are those that are measured', () => {
    expect(PEERS.map(({ name }) => name)).toEqual(PEER_NAMES);
  });

  test('are all there in this repository', () => {
    expect(missingPeers()).toBeNull();
  });

  test('are named with what installs them where some are not there', () => {
    const find = (name: string): void => {
      if (name === 'tarn' || name === 'pg-pool') throw new Error('not found');
    };
    expect(missingPeers(find)).toBe('it compares with pools that are not installed here: npm install tarn pg-pool');
  });
});
