/**
 * The stages between wanting a machine and having the result of a command in it, in their order. `queue`: acquire called to slot
 * chosen. `fork` or `reset`: call to the hypervisor until it says running. `agent`: running to the first answer of the guest's
 * agent. `exec`: the first command's result. `detect`: the fact to our knowing it.
 */
export const STAGES = ['queue', 'fork', 'reset', 'agent', 'exec', 'detect'] as const;
export type Stage = (typeof STAGES)[number];

/** Samples in milliseconds of the stages that a path has; the same index is the same machine or the same turn. */
export type Ladder = Readonly<Partial<Record<Stage, readonly number[]>>>;
