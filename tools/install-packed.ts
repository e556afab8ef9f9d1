// `node tools/install-packed.ts [--oldest] FOLDER` makes FOLDER a project that has every package from its tarball, and prints as JSON the words
// that start `warmvm` there; with --oldest on the oldest Node.
import { packedProject } from './lib/packed-project.ts';

const words = process.argv.slice(2);
const [folder] = words.filter((word) => word !== '--oldest');
if (folder === undefined) throw new Error('which folder? node tools/install-packed.ts [--oldest] FOLDER');
const command = await packedProject(folder, words.includes('--oldest'), new AbortController().signal);
process.stdout.write(`${JSON.stringify(command)}\n`);
