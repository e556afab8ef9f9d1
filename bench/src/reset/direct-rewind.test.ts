import type { Client } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { DirectRewind } from './direct-rewind.ts';

const { signal } = new AbortController();
const dom = { name: 'machine' };

class ScriptedClient {
  readonly calls: string[] = [];
  monitorSays = '';
  state = 1;
  snapshots: readonly object[] = [{ name: 'golden' }];

  async call(procedure: string, args: { cmd?: string; flags?: number }): Promise<object> {
    this.calls.push([procedure, args.cmd, args.flags].filter((part) => part !== undefined).join(' '));
    if (procedure === 'domainLookupByName') return { dom };
    if (procedure === 'domainListAllSnapshots') return { snapshots: this.snapshots };
    return procedure === 'domainMonitorCommand' ? { result: this.monitorSays } : { state: this.state };
  }

  rewind(): Promise<DirectRewind> {
    return DirectRewind.of(this as unknown as Client, 'machine', signal);
  }
}

describe('DirectRewind', () => {
  test('in place is stop, loadvm and cont over the human monitor', async () => {
    const client = new ScriptedClient();
    await (await client.rewind()).inPlace(signal);
    expect(client.calls.slice(2)).toEqual([
      'domainMonitorCommand stop 1',
      'domainMonitorCommand loadvm golden 1',
      'domainMonitorCommand cont 1',
    ]);
  });

  test("libvirt's own way is one call, running afterwards", async () => {
    const client = new ScriptedClient();
    await (await client.rewind()).revert(signal);
    expect(client.calls.slice(2)).toEqual(['domainRevertToSnapshot 1']);
  });

  test('a monitor that says anything has refused', async () => {
    const client = new ScriptedClient();
    client.monitorSays = 'Error: no snapshot';
    await expect((await client.rewind()).inPlace(signal)).rejects.toThrow("QEMU refused 'stop': Error: no snapshot");
  });

  test('a machine that does not run after it is an error', async () => {
    const client = new ScriptedClient();
    const rewind = await client.rewind();
    await expect(rewind.requireRunning(signal)).resolves.toBeUndefined();
    client.state = 3;
    await expect(rewind.requireRunning(signal)).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
  });

  test('a machine of several snapshots is none of ours', async () => {
    const client = new ScriptedClient();
    client.snapshots = [{ name: 'a' }, { name: 'b' }];
    await expect(client.rewind()).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
  });
});
