import assert from 'node:assert/strict';
import type { DriverCapabilities, Safeguard } from '@warmvm/core/driver';
import { isText } from '../assertions.ts';
import { type KitCase, kitCase } from '../kit-case.ts';

const LEGAL: { readonly [Name in keyof DriverCapabilities]: (value: unknown) => boolean } = {
  reset: (value) => ['memory', 'disk', 'none'].includes(value as string),
  stateEvents: (value) => typeof value === 'boolean',
  guestAgent: (value) => typeof value === 'boolean',
  forkCost: (value) => ['constant', 'grows-with-memory', 'boot'].includes(value as string),
  concurrentForks: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  survivesReconnect: (value) => typeof value === 'boolean',
  standby: (value) => value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0),
};

export const manifestCases: readonly KitCase[] = [
  kitCase('MANIFEST-1', 'says which version of the contract it keeps, and has a name', {}, async (context) => {
    const { driver } = await context.shared();
    assert.equal(driver.specificationVersion, 1, 'specificationVersion must be 1');
    assert.equal(typeof driver.name, 'string', 'name must be a text');
    assert.notEqual(driver.name, '', 'name must not be empty');
  }),
  kitCase('MANIFEST-2', 'says of every ability what it is worth', {}, async (context) => {
    const { driver } = await context.shared();
    for (const [name, isLegal] of Object.entries(LEGAL)) {
      const value = driver.capabilities[name as keyof DriverCapabilities];
      assert.ok(isLegal(value), `capabilities.${name} must have one of its values, got ${JSON.stringify(value)}`);
    }
  }),
  kitCase('MANIFEST-3', 'never changes what it says of its abilities', {}, async (context) => {
    const { driver } = await context.shared();
    await context.machine();
    assert.deepEqual({ ...driver.capabilities }, { ...context.capabilities }, 'capabilities must stay as they were');
  }),
  kitCase('MANIFEST-4', 'makes nothing on the host before it is asked to', {}, async (context) => {
    await context.shared();
    const before = await context.objects();
    const first = await context.subject.create();
    const second = await context.subject.create();
    try {
      assert.notEqual(first, second, 'create must give a new driver each time');
      assert.deepEqual(await context.objects(), before, 'a driver that was only made must leave the host as it is');
    } finally {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);
    }
    assert.deepEqual(await context.objects(), before, 'dispose of an unused driver must leave the host as it is');
  }),
  kitCase('MANIFEST-5', 'reports its host', {}, async (context) => {
    const { driver } = await context.shared();
    const report = await driver.ping();
    for (const name of ['host', 'hypervisor', 'accelerationReason'] as const) {
      assert.equal(typeof report[name], 'string', `${name} of the report must be a text`);
      assert.notEqual(report[name], '', `${name} of the report must not be empty`);
    }
    assert.ok(
      ['kvm', 'hvf', 'tcg', 'none'].includes(report.acceleration),
      `acceleration must be one of its values, got ${JSON.stringify(report.acceleration)}`,
    );
    for (const name of ['memoryBytes', 'virtualCpus'] as const) {
      assert.ok(Number.isSafeInteger(report[name]) && report[name] > 0, `${name} must be a whole number above 0`);
    }
    assert.doesNotMatch(report.host, /:[^/@]*@/, 'the name of the host must hold no password');
    checkSafeguards(report.containment ?? []);
  }),
];

function checkSafeguards(safeguards: readonly Safeguard[]): void {
  for (const { name, active, detail, remedy } of safeguards) {
    assert.ok(isText(name), `a safeguard must have a name, got ${JSON.stringify(name)}`);
    assert.equal(typeof active, 'boolean', `${name} must be active or not`);
    assert.ok(isText(detail), `${name} must say what it does or why it is not active, got ${JSON.stringify(detail)}`);
    assert.ok(active || isText(remedy), `${name} is not active and must name a remedy, got ${JSON.stringify(remedy)}`);
  }
  const names = safeguards.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, `no two safeguards may have one name, got ${names.join(', ')}`);
}
