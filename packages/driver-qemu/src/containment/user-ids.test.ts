import { describe, expect, test } from 'vitest';
import { USER_IDS_IN_BLOCK, UserIds } from './user-ids.ts';

/** Far from the ids that machines have, so that this suite meets nobody else's. */
const first = 0x6000_0000 + process.pid * 4 * USER_IDS_IN_BLOCK;
const rangeOf = (blocks: number) => ({ first, last: first + blocks * USER_IDS_IN_BLOCK - 1 });

describe.runIf(process.platform === 'linux')('UserIds', () => {
  test('gives no id twice at a time, and one that came back as late as it can', async () => {
    const ids = new UserIds(rangeOf(1));
    try {
      const all = await Promise.all(Array.from({ length: USER_IDS_IN_BLOCK }, () => ids.take()));
      expect(new Set(all.map(({ uid }) => uid)).size).toBe(USER_IDS_IN_BLOCK);
      for (const { uid } of all) expect(uid >= first && uid <= rangeOf(1).last).toBe(true);
      await expect(ids.take()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: true });
      all[7]!.giveBack();
      all[7]!.giveBack();
      all[3]!.giveBack();
      expect([(await ids.take()).uid, (await ids.take()).uid]).toEqual([all[7]!.uid, all[3]!.uid]);
    } finally {
      ids.close();
    }
  });

  test('shares no block with another owner, also not of another process', async () => {
    const [one, other] = [new UserIds(rangeOf(2)), new UserIds(rangeOf(2))];
    try {
      const blockOf = (uid: number): number => Math.floor((uid - first) / USER_IDS_IN_BLOCK);
      const blocks = new Set([blockOf((await one.take()).uid), blockOf((await other.take()).uid)]);
      expect(blocks).toEqual(new Set([0, 1]));
      const third = new UserIds(rangeOf(2));
      await expect(third.take()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
      one.close();
      await third.take();
      third.close();
    } finally {
      for (const ids of [one, other]) ids.close();
    }
  });
});
