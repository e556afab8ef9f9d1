import { describe, expect, expectTypeOf, test } from 'vitest';
import { defaultOf } from '../procedures/defaults.ts';
import { type ArgsOf, type ProcedureEntry, type ProcedureName, procedureOf, procedures } from '../procedures/index.ts';
import { connected, testDomain as dom, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { XdrReader, XdrWriter } from '../xdr/index.ts';

const table: Readonly<Record<string, ProcedureEntry>> = procedures;

/** What a call sends of what it was given. */
function sent<Name extends ProcedureName>(name: Name, args: ArgsOf<Name>): Readonly<Record<string, unknown>> {
  const { args: codec } = procedureOf(name);
  const writer = new XdrWriter(100_000);
  codec.encode(writer, args);
  return codec.decode(new XdrReader(writer.finish()));
}

describe('an argument that was left out', () => {
  test('is the usual one', () => {
    expect(sent('connectListAllDomains', {})).toEqual({ needResults: 1, flags: 0 });
    expect(sent('connectGetAllDomainStats', {})).toEqual({ doms: [], stats: 0, flags: 0 });
    expect(sent('domainGetState', { dom, flags: undefined })).toEqual({ dom, flags: 0 });
    expect(sent('connectListDefinedDomains', {})).toEqual({ maxnames: 16_384 });
    expect(sent('domainGetCpuStats', { dom })).toEqual({ dom, nparams: 16, startCpu: -1, ncpus: 1, flags: 4 });
    expect(sent('domainMigratePrepare', {})).toMatchObject({ flags: 0n, bandwidth: 0n });
  });

  test('makes a getter of typed parameters return all of them, text included', () => {
    expect(sent('domainGetMemoryParameters', { dom })).toEqual({ dom, nparams: 16, flags: 4 });
    expect(sent('domainGetBlockIoTune', { dom, flags: 2 })).toMatchObject({ nparams: 32, flags: 6 });
  });

  test('is none of another sort: what only the caller can know is still demanded', () => {
    expect(() => sent('domainLookupByName', {} as never)).toThrow('name: a string expected, got undefined');
    expect(() => sent('domainSetAutostart', { dom } as never)).toThrow('autostart');
  });

  test('may be the flags of every call that has flags', () => {
    for (const [name, { args }] of Object.entries(table)) {
      if ('flags' in args) expect(defaultOf(name, table[name] as ProcedureEntry, 'flags'), name).toBeDefined();
    }
    expectTypeOf<{ dom: typeof dom }>().toExtend<ArgsOf<'domainGetState'>>();
  });
});

describe('typed parameters', () => {
  test('come by name and with plain values from one call', async () => {
    const { daemon, connection } = await connected();
    const reading = connection.parameters('domainGetMemoryParameters', { dom });
    const params = [{ field: 'hard_limit', value: { type: 'ullong', value: 5n } as const }];
    daemon.reply('domainGetMemoryParameters', await daemon.expect('domainGetMemoryParameters'), { params, nparams: 1 });
    expect(await reading).toEqual(new Map([['hard_limit', 5n]]));
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('of the host are asked for by their exact number, within one deadline', async () => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ clock });
    const reading = connection.parameters('nodeGetCpuStats', {}, { timeoutMs: 100 });
    const count = await daemon.expect('nodeGetCpuStats');
    expect(count.args).toEqual({ cpuNum: -1, nparams: 0, flags: 0 });
    clock.advance(60);
    daemon.reply('nodeGetCpuStats', count, { params: [], nparams: 4 });
    const call = await daemon.expect('nodeGetCpuStats');
    expect(call.args).toEqual({ cpuNum: -1, nparams: 4, flags: 0 });
    const outcome = expect(reading).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
    clock.advance(41);
    await outcome;
  });
});

describe('networkUpdate', () => {
  const net = { name: 'n', uuid: dom.uuid };
  const update = { net, command: 3, section: 4, parentIndex: -1, xml: '<host/>' };
  test.each([
    [1, { command: 3, section: 4 }],
    [0, { command: 4, section: 3 }],
  ])('reaches a daemon that answers %i to the question for the order of arguments', async (supported, expected) => {
    const { daemon, connection } = await connected();
    const updating = connection.call('networkUpdate', update);
    const question = await daemon.expect('connectSupportsFeature');
    expect(question.args).toEqual({ feature: 16 });
    daemon.reply('connectSupportsFeature', question, { supported });
    const call = await daemon.expect('networkUpdate');
    expect(call.args).toMatchObject(expected);
    daemon.reply('networkUpdate', call, {});
    await updating;
  });
});

test('a wrong value of a secret is not quoted', () => {
  const secret = { uuid: dom.uuid, usageType: 1, usageID: 'x' };
  const refusals = [
    () => sent('secretSetValue', { secret, value: 'hunter2' as never }),
    () => sent('domainSetUserPassword', { dom, user: 'root', password: 7_777_777 as never }),
    () => sent('domainSetUserPassword', { dom, user: 'root', password: 'hunter2\0' }),
  ];
  for (const refusal of refusals) {
    expect(refusal).toThrow(TypeError);
    expect(refusal).not.toThrow(/hunter2|7777777/);
  }
});
