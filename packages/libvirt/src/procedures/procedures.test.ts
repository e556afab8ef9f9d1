import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { isLibvirtError } from '../error.ts';
import {
  domainEventKinds,
  networkEventKinds,
  nodeDeviceEventKinds,
  qemuMonitorEventKinds,
  secretEventKinds,
  storagePoolEventKinds,
} from '../events/kinds.ts';
import type { EventKindEntry } from '../events/registration.ts';
import { type Codec, XdrReader, XdrWriter } from '../xdr/index.ts';
import { type ArgsOf, type ProcedureEntry, procedureOf, procedures, type ReturnOf } from './index.ts';
import { codecOf, type Fields } from './notation.ts';
import type { DomainRef } from './references.ts';

type WireFields = readonly (readonly [name: string, type: string])[];

const fixture = JSON.parse(readFileSync(new URL('../fixtures/procedures.json', import.meta.url), 'utf8')) as {
  readonly procedures: readonly { name: string; program: string; number: number; args: WireFields; ret: WireFields }[];
  readonly events: readonly { kind: string; name: string; eventId: number; message: number; payload: WireFields }[];
};

const table: Readonly<Record<string, ProcedureEntry>> = procedures;

const wire = (fields: Fields): WireFields => Object.entries(fields);

describe('the tables of procedures', () => {
  test('hold exactly the procedures of the fixture', () => {
    expect(Object.keys(table).sort()).toEqual(fixture.procedures.map(({ name }) => name).sort());
  });

  test.each(fixture.procedures)('give $name the number, program and fields of the protocol', (expected) => {
    const entry = table[expected.name];
    expect(entry?.number).toBe(expected.number);
    expect(entry?.program ?? 'remote').toBe(expected.program);
    expect(wire(entry?.args ?? {})).toEqual(expected.args);
    expect(wire(entry?.ret ?? {})).toEqual(expected.ret);
  });

  test('mark what opens a stream, and in which direction', () => {
    const streams = Object.entries(table).flatMap(([name, { stream }]) => (stream ? [[name, stream]] : []));
    expect(Object.fromEntries(streams)).toEqual({
      domainOpenChannel: 'both',
      domainOpenConsole: 'both',
      domainScreenshot: 'read',
      storageVolDownload: 'read',
      storageVolUpload: 'write',
    });
  });

  test.each([
    'domainCreateWithFlags',
    'domainRevertToSnapshot',
    'domainManagedSave',
    'domainDestroyFlags',
    'storageVolCreateXmlFrom',
    'domainAgentCommand',
    'domainMonitorCommand',
    'domainGetTime',
  ])('mark %s as slow', (name) => {
    expect(table[name]?.slow).toBe(true);
  });

  test.each(['domainGetState', 'domainLookupByName', 'connectListAllDomains', 'domainSuspend'])(
    'leave %s quick',
    (name) => {
      expect(table[name]?.slow).toBeUndefined();
    },
  );

  test('refuse a name they do not hold', () => {
    expect(() => procedureOf('toString')).toThrow(TypeError);
  });

  test('give arguments and results their types', () => {
    expectTypeOf<ArgsOf<'domainGetState'>['dom']>().toEqualTypeOf<DomainRef>();
    expectTypeOf<ReturnOf<'domainGetState'>['state']>().toEqualTypeOf<number>();
    expectTypeOf<ReturnOf<'domainGetInfo'>['cpuTime']>().toEqualTypeOf<bigint>();
    expectTypeOf<ReturnOf<'connectListAllDomains'>['domains']>().toEqualTypeOf<readonly DomainRef[]>();
    expectTypeOf<ReturnOf<'nodeGetCpuMap'>['cpumap']>().toEqualTypeOf<Uint8Array>();
    const missing: ArgsOf<'domainSetMetadata'> = {
      dom: { name: '', uuid: new Uint8Array(16), id: 1 },
      type: 0,
      flags: 0,
    };
    expect(missing).not.toHaveProperty('uri');
  });
});

describe('the tables of events', () => {
  const kinds: Readonly<Record<string, Readonly<Record<string, EventKindEntry>>>> = {
    domain: domainEventKinds,
    storagePool: storagePoolEventKinds,
    network: networkEventKinds,
    nodeDevice: nodeDeviceEventKinds,
    secret: secretEventKinds,
    qemuMonitor: qemuMonitorEventKinds,
  };

  test.each(fixture.events)('give $kind $name the numbers and fields of the protocol', (expected) => {
    const entry = kinds[expected.kind]?.[expected.name];
    expect(entry).toMatchObject({ eventId: expected.eventId, message: expected.message });
    expect(wire(entry?.payload ?? {})).toEqual(expected.payload);
  });

  test('hold nothing else', () => {
    const count = Object.values(kinds).reduce((total, group) => total + Object.keys(group).length, 0);
    expect(count).toBe(fixture.events.length);
  });
});

describe('every payload codec', () => {
  const payloads: [string, Codec<Readonly<Record<string, unknown>>>][] = Object.keys(table).flatMap((name) => [
    [`${name} args`, procedureOf(name).args],
    [`${name} ret`, procedureOf(name).ret],
  ]);

  test('never throws anything but a libvirt error on random bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...payloads), fc.uint8Array({ maxLength: 200 }), ([, codec], bytes) => {
        try {
          codec.decode(new XdrReader(bytes));
        } catch (error) {
          expect(isLibvirtError(error)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  // Text sent as characters ends at its first zero; what follows is not part of the value.
  const exact = payloads.filter(([name]) => !/SecurityLabel|SecurityModel/.test(name));

  test('gives back, byte for byte, what it decoded from random bytes of small numbers', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...exact),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 60, maxLength: 60 }),
        ([, codec], words) => {
          const bytes = Buffer.alloc(words.length * 4);
          words.forEach((word, index) => {
            bytes.writeUInt32BE(word, index * 4);
          });
          const reader = new XdrReader(bytes);
          let value: Readonly<Record<string, unknown>>;
          try {
            value = codec.decode(reader);
          } catch (error) {
            expect(isLibvirtError(error)).toBe(true);
            return;
          }
          // Zero characters inside strings are legal on the wire but refused as input.
          if (JSON.stringify(value, (_key, item) => String(item)).includes('\\u0000')) return;
          const writer = new XdrWriter(10_000);
          try {
            codec.encode(writer, value);
          } catch (error) {
            expect(String(error)).toContain('without zero characters');
            return;
          }
          const used = bytes.length - reader.remainingBytes;
          expect(writer.lengthBytes).toBe(used);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

test('a notation that means nothing is refused', () => {
  expect(() => codecOf('toString' as 'i32')).toThrow('not known');
});
