// Two machines on taps of a bridge, in a network that ends with this process: it has to be started in namespaces of its own, for network and
// mounts. Its only argument is the state folder; it prints what passed between the machines and the bridge, as JSON.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { ownerOf, shell } from './tenant.ts';

const [stateDirectory = ''] = process.argv.slice(2);
/** Every Linux has this one; what a tap is opened by must not be root. */
const USER = 'nobody';
const BRIDGE = 'wv-bridge';
const HOST = '10.99.0.1';
const TAPS = ['wv-tap0', 'wv-tap1'] as const;

/** What came of it. */
export interface TapScene {
  /** Interfaces of a guest of a driver that was told nothing. */
  readonly withoutNetwork: string;
  /** What a guest is answered by the host's side, each machine in turn. */
  readonly fromHost: readonly string[];
  /** What the host's side is answered by each guest: its name. */
  readonly fromGuests: readonly string[];
  readonly ids: readonly string[];
  /** What one guest is answered by the other. */
  readonly fromEachOther: string;
  /** Addresses of the cards, as their guests know them and as the bridge has heard them: each machine, and the first after its reset. */
  readonly macs: readonly string[];
  readonly heard: readonly string[];
  /** Addresses of the first machine's card right after its reset. */
  readonly addressesAfterReset: string;
}

const run = async (program: string, ...words: string[]): Promise<string> =>
  (await promisify(execFile)(program, words)).stdout;

/** Here the device may be used by everybody, as udev has it; the host's own stays as it is. */
async function openTunDevice(): Promise<void> {
  const device = join(stateDirectory, 'tun');
  await run('mknod', '-m', '0666', device, 'c', '10', '200');
  await run('mount', '--bind', device, '/dev/net/tun');
}

async function makeNetwork(): Promise<void> {
  await run('ip', 'link', 'set', 'lo', 'up');
  await run('ip', 'link', 'add', BRIDGE, 'type', 'bridge');
  await run('ip', 'address', 'add', `${HOST}/24`, 'dev', BRIDGE);
  await run('ip', 'link', 'set', BRIDGE, 'up');
  for (const tap of TAPS) {
    await run('ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap', 'user', USER);
    await run('ip', 'link', 'set', tap, 'master', BRIDGE, 'up');
  }
}

/** Gives the guest an address and has it serve its own name. */
async function settle({ guest }: Machine, address: string): Promise<void> {
  await shell(guest, `ip address add ${address}/24 dev eth0; ip link set eth0 up`);
  await shell(guest, 'mkdir /tmp/served && hostname > /tmp/served/index.html && httpd -p 8080 -h /tmp/served');
}

const ask = async (address: string): Promise<string> =>
  (await (await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(30_000) })).text()).trim();
const askFrom = ({ guest }: Machine, url: string): Promise<string> => shell(guest, `timeout 30 wget -q -O - ${url}`);
const macOf = ({ guest }: Machine): Promise<string> => shell(guest, 'cat /sys/class/net/eth0/address');

/** The card that the bridge knows behind an address. */
async function heardAt(address: string): Promise<string> {
  return /lladdr (\S+)/.exec(await run('ip', 'neighbour', 'show', 'to', address, 'dev', BRIDGE))?.[1] ?? 'nothing';
}

await openTunDevice();
await makeNetwork();
const server = createServer((request, response) => response.end(`hello ${request.socket.remoteAddress}`));
server.listen(8081, HOST);
await once(server, 'listening');

const owner = ownerOf('tap');
const image = await buildTinyImage();
await using lonely = createQemuDriver({ stateDirectory, user: USER, keepGoldens: false });
await using alone = await lonely.fork(await lonely.prepare(image, { owner }), { owner });
const withoutNetwork = await shell(alone.guest, 'ls /sys/class/net');

await using driver = createQemuDriver({
  stateDirectory,
  user: USER,
  keepGoldens: false,
  network: { kind: 'tap', names: TAPS },
});
const golden = await driver.prepare(image, { owner });
const first = await driver.fork(golden, { owner });
const second = await driver.fork(golden, { owner });
await settle(first, '10.99.0.2');
await settle(second, '10.99.0.3');
const url = `http://${HOST}:8081/`;
const fromHost = [await askFrom(first, url), await askFrom(second, url)];
const fromGuests = [await ask('10.99.0.2'), await ask('10.99.0.3')];
const fromEachOther = await askFrom(first, 'http://10.99.0.3:8080/');
const macs = [await macOf(first), await macOf(second)];
const heard = [await heardAt('10.99.0.2'), await heardAt('10.99.0.3')];

await first.reset();
const addressesAfterReset = await shell(first.guest, 'ip -4 -o address show dev eth0');
await settle(first, '10.99.0.4');
fromHost.push(await askFrom(first, url));
fromGuests.push(await ask('10.99.0.4'));
macs.push(await macOf(first));
heard.push(await heardAt('10.99.0.4'));
server.close();

const scene: TapScene = {
  withoutNetwork,
  fromHost,
  fromGuests,
  ids: [first.id, second.id],
  fromEachOther,
  macs,
  heard,
  addressesAfterReset,
};
await writeFile(join(stateDirectory, 'scene.json'), JSON.stringify(scene));
