// Opens a driver, goes as far as it is told, says so, and waits to be killed. Its only argument is JSON: options, pool, and how far.
import { createQemuDriver, type QemuDriverOptions } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { ownerOf } from './tenant.ts';

const { pool, until, ...options } = JSON.parse(process.argv[2] ?? '{}') as QemuDriverOptions & {
  readonly pool: string;
  readonly until: 'prepare' | 'lease';
};
const owner = ownerOf(pool);
const say = (ids: readonly string[]): void => void process.stdout.write(`${JSON.stringify(ids)}\n`);
const driver = createQemuDriver(options);
const golden = await driver.prepare(await buildTinyImage(), {
  owner,
  onProgress: ({ step }) => {
    if (step === 'agent' && until === 'prepare') say([]);
  },
});
const machines = await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
if (until === 'lease') say(machines.map(({ id }) => id));
setInterval(() => {}, 60_000);
