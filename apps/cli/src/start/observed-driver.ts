import type { Clock, Driver, PrepareProgress } from '@warmvm/core';
import type { Samples } from './samples.ts';

/** What the main job wants to know of the calls a pool makes. */
export interface DriverObserver {
  readonly clock: Clock;
  readonly samples: Samples;
  /** Told every step of the making of a golden snapshot. */
  readonly onPrepare: (progress: PrepareProgress) => void;
  /** The golden snapshot is there. */
  readonly onPrepared: (atMs: number) => void;
}

/** The same driver, with its calls timed: a fork gives a sample of `boot`, the one boot of a golden image one of `cold-boot`. */
export function observeDriver(driver: Driver, { clock, samples, onPrepare, onPrepared }: DriverObserver): Driver {
  return {
    specificationVersion: driver.specificationVersion,
    name: driver.name,
    capabilities: driver.capabilities,
    async prepare(image, options) {
      let bootedAt: number | undefined;
      const golden = await driver.prepare(image, {
        ...options,
        onProgress(progress) {
          if (progress.step === 'boot') bootedAt = clock.now();
          if (progress.step === 'warm-up' && bootedAt !== undefined) samples.add('cold-boot', clock.now() - bootedAt);
          onPrepare(progress);
          options.onProgress?.(progress);
        },
      });
      onPrepared(clock.now());
      return golden;
    },
    async fork(golden, options) {
      const startedAt = clock.now();
      const machine = await driver.fork(golden, options);
      samples.add('boot', clock.now() - startedAt);
      return machine;
    },
    list: (owner, options) => driver.list(owner, options),
    adopt: (record, options) => driver.adopt(record, options),
    remove: (record, options) => driver.remove(record, options),
    ping: (options) => driver.ping(options),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}
