/**
 * What tests of pools and drivers need: a clock they move by hand, and a driver that does as it is told.
 *
 * @packageDocumentation
 */

export type { StubAnswer, StubCall, StubCallKind } from './stub-call.ts';
export { createStubDriver, type StubDriver, type StubDriverOptions, stubImage } from './stub-driver.ts';
export { StubMachine } from './stub-machine.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
