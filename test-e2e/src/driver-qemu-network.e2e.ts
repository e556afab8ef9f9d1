import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Driver, Machine } from '@warmvm/core';
import { createQemuDriver, type QemuNetwork } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ownerOf, shell } from './support/tenant.ts';

const owner = ownerOf('e2e-qemu-network');
const drivers: Driver[] = [];
let host: QemuHost;
/** Something of this computer's own, which listens at its loopback address. */
let secret: Server;
let asked = 0;

beforeAll(async () => {
  host = await openQemuHost();
  secret = createServer((_, response) => {
    asked += 1;
    response.end('secret');
  }).listen(0, '127.0.0.1');
  await once(secret, 'listening');
});

afterAll(async () => {
  for (const driver of drivers) await driver[Symbol.asyncDispose]();
  secret?.close();
  await host?.[Symbol.asyncDispose]();
});

/** As many machines of a driver of this network. */
async function machinesOn(network: QemuNetwork | undefined, count: number): Promise<readonly Machine[]> {
  const { stateDirectory } = host;
  const driver = createQemuDriver({ stateDirectory, standby: 1, ...(network === undefined ? {} : { network }) });
  drivers.push(driver);
  const golden = await driver.prepare(await buildTinyImage(), { owner });
  const machines: Machine[] = [];
  for (let number = 0; number < count; number += 1) machines.push(await driver.fork(golden, { owner }));
  return machines;
}

/** Has a guest serve its own name. */
async function serve({ guest }: Machine): Promise<void> {
  await shell(guest, 'mkdir /tmp/served && hostname > /tmp/served/index.html && httpd -p 8080 -h /tmp/served');
}

async function askThrough(machine: Machine): Promise<string> {
  const { hostAddress, hostPort } = machine.forwards?.[0] ?? {};
  const response = await fetch(`http://${hostAddress}:${hostPort}/`, { signal: AbortSignal.timeout(10_000) });
  return (await response.text()).trim();
}

function macOf({ guest }: Machine): Promise<string> {
  return shell(guest, 'cat /sys/class/net/eth0/address');
}

/** What the guest gets of the secret, or nothing. */
function reachSecret({ guest }: Machine): Promise<string> {
  const { port } = secret.address() as AddressInfo;
  return shell(guest, `timeout 3 wget -q -O - http://10.0.2.2:${port}/ || true`);
}

describe('machines with forwarded ports', () => {
  test('are reached each by its own port and with its own card, also after a reset, and reach nothing', async () => {
    const machines = await machinesOn({ kind: 'user', forwards: [{ guestPort: 8080 }] }, 2);
    const [first, second] = machines as [Machine, Machine];
    await Promise.all(machines.map(serve));
    expect(await Promise.all(machines.map(askThrough))).toEqual([first.id, second.id]);
    expect(first.forwards).toMatchObject([{ protocol: 'tcp', hostAddress: '127.0.0.1', guestPort: 8080 }]);
    const macs = [await macOf(first), await macOf(second)];

    await first.reset();
    await expect(askThrough(first)).rejects.toThrow();
    await serve(first);
    expect(await Promise.all(machines.map(askThrough))).toEqual([first.id, second.id]);
    macs.push(await macOf(first));
    expect(new Set(macs).size).toBe(3);
    for (const mac of macs) expect(mac).toMatch(/^02:/);

    expect(await reachSecret(second)).toBe('');
    expect(asked).toBe(0);
  });

  test('reach what listens here only when that is asked for by name', async () => {
    expect(() => createQemuDriver({ network: { kind: 'user', restrict: false } })).toThrow('hostLoopback');
    const { stateDirectory } = host;
    const asking = { ...(await buildTinyImage()), network: 'user' } as const;
    const unasked = createQemuDriver({ stateDirectory });
    drivers.push(unasked);
    await expect(unasked.prepare(asking, { owner })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    const closed = createQemuDriver({ stateDirectory, network: { kind: 'user' } });
    drivers.push(closed);
    const shut = await closed.fork(await closed.prepare(asking, { owner }), { owner });
    expect(await reachSecret(shut)).toBe('');
    expect(asked).toBe(0);

    const [machine] = (await machinesOn({ kind: 'user', restrict: false, hostLoopback: true }, 1)) as [Machine];
    expect(machine.forwards).toEqual([]);
    expect(await reachSecret(machine)).toBe('secret');
  });
});

describe('machines of a driver that was told nothing', () => {
  test('have no network card', async () => {
    const [machine] = (await machinesOn(undefined, 1)) as [Machine];
    expect(await shell(machine.guest, 'ls /sys/class/net')).toBe('lo');
  });
});
