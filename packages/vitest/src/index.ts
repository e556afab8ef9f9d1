/**
 * Fixtures for Vitest: a clean virtual machine for each test.
 *
 * @packageDocumentation
 */
export { type MachineFixtures, machineTest, type OpenPool } from './machine-test.ts';
