import type { Guest } from '@warmvm/core';

/** A machine that is ours for a while. */
export interface LentMachine {
  readonly machineId: string;
  readonly guest: Guest;
  /** Fires when the machine was taken away, with the error that says why. */
  readonly signal: AbortSignal;
  /** Once: the machine is cleaned for others, or destroyed. */
  giveBack(): Promise<void>;
}

/** Where commands get machines from: a pool of their own, or one that another process keeps. */
export interface MachineSource extends AsyncDisposable {
  /** For people: which pool this is. */
  readonly description: string;
  /** For people: how to reach a machine from elsewhere while it lives; undefined where nothing is known. */
  reach?(machineId: string): string | undefined;
  lend(options: { readonly signal: AbortSignal }): Promise<LentMachine>;
}
