/**
 * The driver contract: everything that a driver package may import of core.
 *
 * @packageDocumentation
 */

export { currentOwnerProcess, judgeOwner, type OwnerFate, processStartTime } from '../owner/owner-process.ts';
export {
  type Acceleration,
  type AccelerationFacts,
  chooseAcceleration,
  hostArchitecture,
  type LocalAcceleration,
  localAcceleration,
} from './acceleration.ts';
export type { CallOptions } from './call.ts';
export { childEnvironment } from './child-environment.ts';
export { type Clock, sleep, systemClock, type Timer, type TimerOptions } from './clock.ts';
export { setDeadline } from './deadline.ts';
export type {
  Driver,
  DriverCapabilities,
  ForkOptions,
  HostReport,
  PrepareOptions,
  PrepareProgress,
  Safeguard,
} from './driver.ts';
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isWarmvmError,
  WarmvmError,
  type WarmvmErrorOptions,
} from './error.ts';
export type { ExecOptions, ExecResult, FileCallOptions, Guest, ReadFileOptions, WriteFileOptions } from './guest.ts';
export type { DiskBoot, FileReference, GoldenImage, GoldenSnapshot, KernelBoot, Renewal } from './image.ts';
export { JoinedJobs } from './joined-jobs.ts';
export type { Machine, MachineChange, MachineId, MachineState, PortForward } from './machine.ts';
export { nearestName } from './nearest-name.ts';
export {
  aClock,
  aFunction,
  checkedBy,
  checkOptions,
  type OptionRule,
  type OptionRules,
  objectOf,
  oneOf,
  optionMistake,
  optionsSchema,
  requireKnownOptions,
  textLike,
  trueOrFalse,
  unknownName,
  wholeNumber,
} from './option-rules.ts';
export type { MachineRecord, OwnerProcess, OwnerTag } from './owner.ts';
export { pathDistrust, type TrustFacts } from './path-trust.ts';
export { retryableDispose } from './retryable-dispose.ts';
export { type ShownTextOptions, shownText } from './shown-text.ts';
export { StateFeed } from './state-feed.ts';
export { fromSystemError, type SystemErrorOptions, type SystemFault, systemFault } from './system-error.ts';
export type { SystemFaultReason } from './system-faults.ts';
