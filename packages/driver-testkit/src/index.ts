/**
 * The conformance kit of warmvm: cases that prove a driver keeps the driver contract, for any test runner or none.
 *
 * @packageDocumentation
 */
export { kitCases } from './cases/index.ts';
export type { KitContext } from './context.ts';
export type { KitCase } from './kit-case.ts';
export type { Need } from './needs.ts';
export { type Runner, type RunnerTest, register } from './register.ts';
export { isConformant, type KitReport, type KitResult } from './report.ts';
export { type RunKitOptions, runKit } from './run-kit.ts';
export type { GuestPaths, InjectedFault, KitSubject } from './subject.ts';
export {
  type OpenSubject,
  type OpenSubjects,
  type OpenSubjectsOptions,
  openSubjects,
  type SubjectFactory,
  type SubjectModule,
  type SubjectRequest,
} from './subject-module.ts';
export type { Workplace } from './workplace.ts';
