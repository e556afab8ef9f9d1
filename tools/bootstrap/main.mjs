import { delimiter, dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { endLike, runChild } from './child.mjs';
import { installPackages } from './install.mjs';
import { BootstrapError, childEnvironment, entryFor } from './plan.mjs';
import { findToolchain } from './toolchain.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string} text */
function say(text) {
  process.stderr.write(`warmvm: ${text}\n`);
}

/**
 * Makes the checkout ready and runs what was asked for.
 * @param {readonly string[]} argv
 */
export async function main(argv) {
  try {
    const entry = entryFor(argv);
    const bare = childEnvironment(process.env, [], delimiter);
    const tools = await findToolchain({ root, env: bare, say });
    const env = childEnvironment(process.env, tools.folders, delimiter);
    await installPackages({ root, pnpm: tools.pnpm, env, say });
    endLike(await runChild(tools.node, entry, { cwd: root, env, capture: false }));
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}
