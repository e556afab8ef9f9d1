import { once } from 'node:events';
import type { Output } from '../output.ts';
import type { LentMachine, MachineSource } from '../place/machine-source.ts';

/**
 * What `--keep` does: says which machine it is and how to reach it, and waits for Enter at a terminal, Ctrl-C anywhere, or the machine's end.
 * A machine belongs to the process that made it, so it cannot outlive this one.
 */
export function keepMachine(
  source: MachineSource,
  output: Output,
  input: NodeJS.ReadStream = process.stdin,
): (machine: LentMachine, signal: AbortSignal) => Promise<void> {
  return async (machine, signal) => {
    const ends = input.isTTY === true ? 'Enter or Ctrl-C' : 'Ctrl-C';
    output.writeError(`warmvm: machine ${machine.machineId} is kept until ${ends}\n`);
    const reach = source.reach?.(machine.machineId);
    if (reach !== undefined) output.writeError(`  reach it with: ${reach}\n`);
    const over = new AbortController();
    const either = AbortSignal.any([signal, machine.signal, over.signal]);
    const waits: Promise<unknown>[] = [once(either, 'abort', { signal: over.signal })];
    if (input.isTTY === true) waits.push(once(input.resume(), 'data', { signal: either }));
    if (!either.aborted) await Promise.race(waits).catch(() => {});
    over.abort();
    input.pause?.();
    await Promise.allSettled(waits);
    if (machine.signal.aborted) output.writeError(`warmvm: the machine is gone: ${machine.signal.reason}\n`);
  };
}
