import type { Driver, GoldenImage, MachineId } from '@warmvm/core';
import type { HypervisorFacts } from '@warmvm/local-host';

/** Where the main job plays: a driver, an image for it, and a hand that can hurt machines from outside. */
export interface Scene extends AsyncDisposable {
  readonly driver: Driver;
  readonly image: GoldenImage;
  readonly acceleration: string;
  readonly facts: HypervisorFacts;
  /** Ends a machine behind the driver's back, as a crash of its QEMU would; resolves with the moment on `clock.now()`'s scale. */
  killFromOutside(machine: MachineId): Promise<number>;
  /** Objects on the host that were not there before: domains, volumes, pools, processes, files. */
  leftBehind(): Promise<readonly string[]>;
}

/** What a scene is made with. */
export interface SceneOptions {
  readonly signal: AbortSignal;
  /** Told what is going on, in words for people. */
  readonly say: (text: string) => void;
}
