// Opens a driver, forks two machines, says so, and waits to be killed. Its only argument is JSON: the driver's options and the pool.
import { createLibvirtDriver, type LibvirtDriverOptions } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { ownerOf } from './tenant.ts';

const { pool, ...options } = JSON.parse(process.argv[2] ?? '{}') as LibvirtDriverOptions & { readonly pool: string };
const owner = ownerOf(pool);
const driver = createLibvirtDriver(options);
const golden = await driver.prepare(await buildTinyImage(), { owner });
const machines = await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
process.stdout.write(`${JSON.stringify(machines.map(({ id }) => id))}\n`);
setInterval(() => {}, 60_000);
