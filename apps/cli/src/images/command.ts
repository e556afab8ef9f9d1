import { Command, Option } from 'commander';
import { parseBytes, parseCount } from '../option-values.ts';
import type { Output } from '../output.ts';
import { RENEWAL_PATH } from './image-name.ts';

/** What the machines of an image get. */
export interface MachineOptions {
  readonly memory?: number;
  readonly cpus?: number;
  readonly network?: 'none' | 'user';
  readonly architecture?: 'x86_64' | 'aarch64';
  readonly renewal: string;
}

/** Options of `warmvm image import`. */
export interface ImportOptions extends MachineOptions {
  readonly name: string;
  readonly format?: 'qcow2' | 'raw';
  readonly kernel?: string;
  readonly initrd?: string;
  readonly commandLine?: string;
  readonly json?: true;
}

/** Options of `warmvm image build`. */
export interface BuildOptions extends Pick<MachineOptions, 'memory' | 'cpus' | 'architecture'> {
  readonly name?: string;
  readonly disk?: number;
  readonly json?: true;
}

/** `warmvm image` and what it can do. */
export function imageCommand(output: Output): Command {
  const image = new Command('image').description('images that machines are made from, by names of your own');
  image.addCommand(
    new Command('build')
      .description('build the tiny image (kernel, busybox, guest agent) from Debian packages')
      .option('--name <name>', 'keep a copy by this name, which no update of a package changes')
      .option('--memory <size>', 'memory of a machine, such as 256M or 1G (default: 256M)', parseBytes)
      .option('--cpus <count>', 'virtual processors of a machine (default: 1)', parseCount)
      .option('--disk <size>', 'its blank disk (default: 64M)', parseBytes)
      .addOption(architectureOption())
      .option('--json', 'the image as JSON')
      .action(async (options: BuildOptions) => {
        const { runImageBuild } = await import('./index.ts');
        process.exitCode = await runImageBuild(options, output);
      }),
  );
  image.addCommand(
    new Command('import')
      .description('copy a disk image, or a kernel with its initrd, into the store and give it a name')
      .argument('[file]', 'disk image: qcow2, or raw')
      .requiredOption('--name <name>', 'what --image and the configuration call it')
      .addOption(
        new Option('--format <format>', 'what the file is (default: by its content)').choices(['qcow2', 'raw']),
      )
      .option('--kernel <file>', 'instead of a disk: a kernel, with --initrd')
      .option('--initrd <file>', 'its initial file system')
      .option('--command-line <text>', 'what the kernel is told')
      .option('--memory <size>', 'memory of a machine, such as 512M or 2G (default: 256M)', parseBytes)
      .option('--cpus <count>', 'virtual processors of a machine (default: 1)', parseCount)
      .addOption(new Option('--network <kind>', 'user: the guest gets out (default: none)').choices(['none', 'user']))
      .addOption(architectureOption())
      .option('--renewal <path>', 'the renewal program in the guest', RENEWAL_PATH)
      .option('--json', 'the image as JSON')
      .action(async (file: string | undefined, options: ImportOptions) => {
        const { runImageImport } = await import('./index.ts');
        process.exitCode = await runImageImport(file, options, output);
      }),
  );
  image.addCommand(
    new Command('list')
      .description('images of the store')
      .option('--json', 'the images as JSON')
      .action(async (options: { readonly json?: true }) => {
        const { runImageList } = await import('./index.ts');
        process.exitCode = await runImageList(options, output);
      }),
  );
  image.addCommand(
    new Command('rm')
      .description('take images out of the store; one that a process uses stays')
      .argument('<names...>', 'names of images')
      .option('-f, --force', 'also those in use: machines run on, and no new ones can be made')
      .action(async (names: readonly string[], options: { readonly force?: true }) => {
        const { runImageRemove } = await import('./index.ts');
        process.exitCode = await runImageRemove(names, options, output);
      }),
  );
  return image;
}

function architectureOption(): Option {
  return new Option('--architecture <name>', "what it runs on (default: this computer's)").choices([
    'x86_64',
    'aarch64',
  ]);
}
