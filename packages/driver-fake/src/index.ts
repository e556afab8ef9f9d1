/**
 * A hypervisor in memory: the reference driver of warmvm, with scripted latency and faults.
 *
 * @packageDocumentation
 */
export { ChangeQueue } from './change-queue.ts';
export { createFakeDriver, type FakeDriver } from './fake-driver.ts';
export { fakeImage } from './fake-image.ts';
export type { Fault, FaultCall, FaultOperation, FaultScript, FaultStage } from './faults.ts';
export type { GuestFiles } from './guest-files.ts';
export type { GuestProcess, GuestWorld } from './guest-world.ts';
export {
  createFakeHost,
  type FakeHost,
  type FakeHostOptions,
  type HostMachineReport,
  type HostObjects,
  type RefusedWork,
} from './host.ts';
export type { HostChange, HostGolden, HostMachine, HostStore, NewMachine } from './host-store.ts';
export type { JournalCall, JournalEntry, JournalFact } from './journal.ts';
export type { Latency, LatencyContext, LatencyOptions } from './latency.ts';
export type { MachineEvent } from './machine-state.ts';
export { type FakeDriverOptions, fakeOptionRules } from './options.ts';
export { defaultParts, type FakeParts, type RenewalOrder, type RenewalProof, type RevertContext } from './parts.ts';
export { type Random, seededRandom } from './random.ts';
