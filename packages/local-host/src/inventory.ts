import { type Client, openClient } from '@warmvm/libvirt';
import { qemuProcesses } from './qemu-processes.ts';

/** Names of what exists on a libvirt host and could be left behind. */
export type HostInventory = ReadonlySet<string>;

/** What counts: a host may have other users, whose machines come and go meanwhile. */
export interface InventoryScope {
  /** Beginning of the names of domains, volumes and guests. */
  readonly prefix: string;
  readonly storagePool: string;
}

/** Lists domains, the storage pool, its volumes and QEMU processes, each as one line. */
export async function takeInventory(uri: string, scope: InventoryScope, signal?: AbortSignal): Promise<HostInventory> {
  const client = await openClient({ uri, ...(signal === undefined ? {} : { signal }) });
  try {
    return await inventoryOf(client, scope);
  } finally {
    await client.close();
  }
}

/** The same over a connection that is open. */
export async function inventoryOf(client: Client, scope: InventoryScope): Promise<HostInventory> {
  const lines = [...(await objectsOf(client, scope))];
  for (const { pid, guest } of await qemuProcesses()) {
    if (guest.startsWith(scope.prefix)) lines.push(`process ${pid} (QEMU of ${guest})`);
  }
  return new Set(lines);
}

/** What libvirt itself lists: domains, the storage pool and its volumes. */
export async function objectsOf(client: Client, { prefix, storagePool }: InventoryScope): Promise<readonly string[]> {
  const lines: string[] = [];
  const { domains } = await client.call('connectListAllDomains', { needResults: 1, flags: 0 });
  for (const { name } of domains) if (name.startsWith(prefix)) lines.push(`domain ${name}`);
  const { pools } = await client.call('connectListAllStoragePools', { needResults: 1, flags: 0 });
  for (const pool of pools.filter(({ name }) => name === storagePool)) {
    lines.push(`storage pool ${pool.name}`);
    const { active } = await client.call('storagePoolIsActive', { pool });
    if (active === 0) continue;
    const { vols } = await client.call('storagePoolListAllVolumes', { pool, needResults: 1, flags: 0 });
    for (const { name } of vols) if (name.startsWith(prefix)) lines.push(`volume ${pool.name}/${name}`);
  }
  return lines;
}
