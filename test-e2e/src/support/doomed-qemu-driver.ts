// A process that is to be killed: makes machines on QEMU, and says how far it is, a line each.
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { ownerOf } from './tenant.ts';

const [stateDirectory = '', pool = ''] = process.argv.slice(2);
const owner = ownerOf(pool);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const driver = createQemuDriver({ stateDirectory, standby: 1 });
const golden = await driver.prepare(await buildTinyImage(), {
  owner,
  onProgress: ({ step }) => say(`prepare ${step}`),
});
say('prepared');
const machine = await driver.fork(golden, { owner });
say('forked');
const forking = driver.fork(golden, { owner });
say('forking');
await forking;
for (;;) {
  const resetting = machine.reset();
  say('resetting');
  await resetting;
}
