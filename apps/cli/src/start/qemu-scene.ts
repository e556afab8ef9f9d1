import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { DisposeStack, hypervisorFacts, qemuProcesses } from '@warmvm/local-host';
import { describeProgress } from './describe-progress.ts';
import { killFromOutside } from './kill-from-outside.ts';
import type { Scene, SceneOptions } from './scene.ts';
import { startStateFolder } from './state-folder.ts';

/** Real machines on this computer's QEMU: no daemon, no root. */
export async function qemuScene({ signal, say }: SceneOptions): Promise<Scene> {
  const stack = new DisposeStack();
  try {
    say('building the golden image from Debian packages (kernel, busybox, guest agent)');
    const image = await buildTinyImage({
      signal,
      onProgress: (progress) => say(`golden image: ${describeProgress(progress)}`),
    });
    // One folder for all runs, so that each sweeps what a killed one left. What this one makes it takes along: it measures from nothing.
    const stateDirectory = startStateFolder();
    const driver = stack.use(createQemuDriver({ stateDirectory, keepGoldens: false }));
    const host = await driver.ping({ signal });
    const before = new Set(await inventory(stateDirectory));
    return {
      driver,
      image,
      acceleration: host.acceleration,
      facts: hypervisorFacts(host, {
        subreaper: 'none needed: this process reaps its machines',
        storage: stateDirectory,
      }),
      killFromOutside,
      leftBehind: async () => (await inventory(stateDirectory)).filter((line) => !before.has(line)),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

/** Files in the folder, and processes that have it in their command line. */
async function inventory(stateDirectory: string): Promise<readonly string[]> {
  const entries = await readdir(stateDirectory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  const running = (await qemuProcesses()).filter(({ commandLine }) => commandLine.includes(stateDirectory));
  return [...files, ...running.map(({ pid, guest }) => `process ${pid} (QEMU of ${guest})`)];
}
