import type { Clock } from '@warmvm/core/driver';
import type { DriverContext } from './context.ts';
import type { GuestWorld } from './guest-world.ts';
import type { HostGolden, HostMachine } from './host-store.ts';
import { randomBytes, randomHex } from './random.ts';

type Frozen = NonNullable<HostGolden['frozen']>;

/** The guest of a machine as it comes out of its golden snapshot, not yet renewed. */
export function revertedWorld(
  context: DriverContext,
  machine: HostMachine,
  golden: HostGolden,
  frozen: Frozen,
  kind: 'memory' | 'disk',
): GuestWorld {
  const clock: Clock = context.host.clock;
  const seed = randomBytes(context.random, 64);
  return context.parts.revert({ present: machine.world, golden: frozen, image: golden.image, kind, seed, clock });
}

/**
 * Gives the guest a new identity, fresh randomness and the right time, and lets it prove so.
 * @throws Error when the proof is not what it must be
 */
export function renewMachine(
  context: DriverContext,
  machine: HostMachine,
  frozen: Frozen,
  kind: 'memory' | 'disk',
): void {
  const { golden, world } = machine;
  if (golden === null || world === null) throw new Error('there is no guest to renew');
  // Only images that were accepted without a renewal command come here without one: they keep what was frozen.
  if (golden.image.renewal === undefined) return;
  const order = {
    generationId: randomHex(context.random, 32),
    hostname: `${machine.id}-${machine.generation}`,
    machineId: randomHex(context.random, 32),
    seed: randomBytes(context.random, 64),
  };
  const proof = context.parts.renew(world, order);
  const found = frozen.world.generations();
  const expected = {
    generationId: order.generationId,
    // A guest that booted has nothing in memory yet; one that was thawed has what the golden snapshot had.
    memoryGeneration: kind === 'memory' ? found.memory : null,
    diskGeneration: found.disk,
  };
  if (!context.parts.proves(proof, expected)) throw new Error('the guest did not prove that it is a new generation');
}
