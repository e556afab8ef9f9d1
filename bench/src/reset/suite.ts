import { type Driver, type Machine, WarmvmError } from '@warmvm/core';
import { openClient } from '@warmvm/libvirt';
import { DisposeStack } from 'warmvm/measure';
import { alternate } from '../alternate.ts';
import { type LibvirtHost, qemuPid } from '../host/libvirt-host.ts';
import { benchOwner } from '../owner.ts';
import type { LibvirtSuite, SuiteContext } from '../suite.ts';
import { DirectRewind } from './direct-rewind.ts';
import { dirty, requireClean } from './dirt.ts';

/** Dirty machines, brought back in place and by libvirt's own revert. */
export const resetSuite: LibvirtSuite = {
  name: 'reset',
  driver: 'libvirt',
  what: "a dirty machine brought back in place, and by libvirt's own revert: to running and to proved ready",
  defaultSamples: 20,
  async run(context, host) {
    const { signal, recorder, say, rounds, samples } = context;
    const stack = new DisposeStack();
    try {
      say('preparing a golden snapshot for each of the two drivers');
      const inPlace = await machineOf(stack.use(host.driver({ reset: 'in-place' })), host, signal);
      const reverted = await machineOf(stack.use(host.driver({ reset: 'revert' })), host, signal);
      const client = stack.use(await openClient({ uri: host.uri, signal }));
      const direct = await DirectRewind.of(client, reverted.id, signal);
      // Round 0 is warm-up.
      for (let round = 0; round <= samples; round += 1) {
        const record = (figure: string, durationMs: number): void => {
          if (round > 0) recorder.add(figure, durationMs);
        };
        // To running: one and the same machine, by bare calls.
        await alternate(round, [
          async () => record('in-place to running', await toRunning(context, reverted, direct, 'inPlace')),
          async () => record('revert to running', await toRunning(context, reverted, direct, 'revert')),
        ]);
        // To ready: what a pool waits for.
        await alternate(round, [
          async () => record('in-place to ready', await toReady(context, inPlace, 'same')),
          async () => record('revert to ready', await toReady(context, reverted, 'other')),
        ]);
        if (round > 0) rounds(round, samples);
      }
    } finally {
      await stack[Symbol.asyncDispose]();
    }
    for (const end of ['running', 'ready']) recorder.group(`to ${end}`, [`in-place to ${end}`, `revert to ${end}`]);
    recorder.ratio('in-place to revert, to running', 'in-place to running', 'revert to running');
    recorder.ratio('in-place to revert, to ready', 'in-place to ready', 'revert to ready');
    recorder.fact('dirt', '8 MiB in memory, 8 MiB on disk; absent after every reset');
    recorder.fact('path', 'in place kept its QEMU every time, revert started another every time');
  },
};

async function machineOf(driver: Driver, host: LibvirtHost, signal: AbortSignal): Promise<Machine> {
  const owner = benchOwner('bench-reset');
  const golden = await driver.prepare(await host.image(), { owner, signal });
  return driver.fork(golden, { owner, signal });
}

/** Dirties a machine, times the bare calls, and has its driver reset it, since the driver's link to the guest did not follow. */
async function toRunning(
  { clock, signal }: SuiteContext,
  machine: Machine,
  direct: DirectRewind,
  way: 'inPlace' | 'revert',
): Promise<number> {
  await dirty(machine.guest, signal);
  const before = await qemuPid(machine.id);
  const startedAt = clock.now();
  await direct[way](signal);
  const durationMs = clock.now() - startedAt;
  await direct.requireRunning(signal);
  await requirePath(machine, before, way === 'inPlace' ? 'same' : 'other');
  await machine.reset({ signal });
  await requireClean(machine.guest, signal);
  return durationMs;
}

/** Dirties a machine and times its driver's reset, which ends with the guest's proof that it is a new generation. */
async function toReady({ clock, signal }: SuiteContext, machine: Machine, qemu: 'same' | 'other'): Promise<number> {
  await dirty(machine.guest, signal);
  const before = await qemuPid(machine.id);
  const startedAt = clock.now();
  await machine.reset({ signal });
  const durationMs = clock.now() - startedAt;
  await requirePath(machine, before, qemu);
  await requireClean(machine.guest, signal);
  return durationMs;
}

/** A driver falls back from one way to the other without a word; a figure must not. */
async function requirePath(machine: Machine, before: number, qemu: 'same' | 'other'): Promise<void> {
  const after = await qemuPid(machine.id);
  if ((after === before) === (qemu === 'same')) return;
  throw new WarmvmError('WARMVM_RESET_FAILED', `${machine.id} took the wrong path: QEMU ${before}, then ${after}`);
}
