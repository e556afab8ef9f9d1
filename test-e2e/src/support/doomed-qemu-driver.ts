// A process that is to be killed: makes machines on QEMU, and says how far it is, a line each. Arguments: state folder, pool, and the words
// after which it makes nothing more, if there are any.
import { createPool } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { ownerOf } from './tenant.ts';

const [stateDirectory = '', name = '', last = ''] = process.argv.slice(2);
const owner = ownerOf(name);
/** Longer than any suite. */
const LONG_MS = 3_600_000;
const image = await buildTinyImage();
/** Says it, and comes back unless that was the last word. */
const say = async (words: string): Promise<void> => {
  process.stdout.write(`${words}\n`);
  if (words === last) await new Promise(() => setInterval(() => {}, 60_000));
};

const driver = createQemuDriver({ stateDirectory, standby: 1 });
const golden = await driver.prepare(image, {
  owner,
  onProgress: ({ step }) => void process.stdout.write(`prepare ${step}\n`),
});
await say('prepared');
const machine = await driver.fork(golden, { owner });
await say('forked');
const forking = driver.fork(golden, { owner });
await say('forking');
await (await forking)[Symbol.asyncDispose]();
const pool = createPool({ driver, image, name, minReady: 1, max: 3 });
const lease = await pool.acquire({ timeoutMs: 120_000, leaseMs: LONG_MS });
// A tenant at work.
const running = lease.guest.exec(['sleep', '86400'], { timeoutMs: LONG_MS });
await lease.guest.exec(['sh', '-c', 'echo tenant > /disk/tenant; sync']);
await say('leased');
running.catch(() => {});
for (;;) {
  const resetting = machine.reset();
  await say('resetting');
  await resetting;
}
