import { ControlConnection } from '../kept-pool/client/control-connection.ts';
import { RemoteGuest } from '../kept-pool/client/remote-guest.ts';
import { asLease } from '../kept-pool/protocol/reply-check.ts';
import { socketPathOf } from '../kept-pool/runtime-folder.ts';
import type { MachineSource } from './machine-source.ts';

/** Machines of a pool that another process keeps: each belongs to a connection, and goes back when that ends. */
export function keptSource(first: ControlConnection): MachineSource {
  const { pool, pid } = first.welcome;
  const reaches = new Map<string, string | null>();
  const connections = new Set<ControlConnection>([first]);
  let spare: ControlConnection | undefined = first;
  return {
    description: `pool ${pool} of process ${pid}`,
    reach: (machineId) => reaches.get(machineId) ?? undefined,
    async lend({ signal }) {
      const connection = spare ?? (await ControlConnection.open(socketPathOf(pool), signal));
      spare = undefined;
      connections.add(connection);
      try {
        const { machineId, reach } = asLease(await connection.call({ type: 'lease' }, { signal }));
        reaches.set(machineId, reach);
        return {
          machineId,
          guest: new RemoteGuest(connection),
          signal: connection.lost,
          async giveBack() {
            // Whoever lost it has nothing to give back; the end of the connection does the rest.
            await connection.call({ type: 'return', how: 'release' }).catch(() => {});
            connection.close();
            connections.delete(connection);
          },
        };
      } catch (error) {
        connection.close();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
    },
  };
}
