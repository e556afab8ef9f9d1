// Leases every machine of a pool on a far host, says which, and waits to be killed. Its only argument is JSON: the driver's options and the pool.
import { createPool } from '@warmvm/core';
import { createLibvirtSshDriver, type LibvirtSshDriverOptions } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';

const { pool: name, ...options } = JSON.parse(process.argv[2] ?? '{}') as LibvirtSshDriverOptions & {
  readonly pool: string;
};
const driver = createLibvirtSshDriver(options);
const pool = createPool({ driver, image: await buildTinyImage(), name, minReady: 1, max: 2 });
const leases = [await pool.acquire({ timeoutMs: 120_000 }), await pool.acquire({ timeoutMs: 120_000 })];
process.stdout.write(`${JSON.stringify(leases.map(({ machineId }) => machineId))}\n`);
setInterval(() => {}, 60_000);
