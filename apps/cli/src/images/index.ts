import type { GoldenImage } from '@warmvm/core';
import { ConfigError } from '../config/config-error.ts';
import { explain } from '../errors/explain.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { progressFor } from '../progress.ts';
import type { BuildOptions, ImportOptions } from './command.ts';
import { ImageStore, type StoredImage } from './image-store.ts';
import { imageFacts, imageTable, sizeText } from './image-table.ts';
import { buildImage, type ImportCall, importImage } from './import-image.ts';

/** Runs `warmvm image build`. Resolves with the exit code. */
export function runImageBuild(options: BuildOptions, output: Output): Promise<number> {
  return withStore(output, async (call) => {
    const { image, stored } = await buildImage(options, call);
    if (options.json === true) output.write(json(stored === undefined ? builtFacts(image) : imageFacts(stored)));
    else if (stored === undefined) output.write(`built: tiny, ${image.digest}\n`);
    else output.write(`built: ${told(stored)}\n`);
  });
}

/** Runs `warmvm image import`. Resolves with the exit code. */
export function runImageImport(file: string | undefined, options: ImportOptions, output: Output): Promise<number> {
  return withStore(output, async (call) => {
    const stored = await importImage(file, options, call);
    output.write(options.json === true ? json(imageFacts(stored)) : `imported: ${told(stored)}\n`);
  });
}

/** Runs `warmvm image list`. Resolves with the exit code. */
export function runImageList(options: { readonly json?: true }, output: Output): Promise<number> {
  return withStore(output, async ({ store }) => {
    const images = await store.list();
    if (options.json === true) output.write(json({ schema: 1, folder: store.folder, images: images.map(imageFacts) }));
    else output.write(images.length === 0 ? 'no images of your own; tiny is always there\n' : imageTable(images));
  });
}

/** Runs `warmvm image rm`. Resolves with the exit code: of several names, the others are tried when one fails. */
export async function runImageRemove(
  names: readonly string[],
  options: { readonly force?: true },
  output: Output,
): Promise<number> {
  let exitCode: number = EXIT.ok;
  await withStore(output, async ({ store }) => {
    for (const name of names) {
      try {
        const roomBytes = await store.remove(name, options);
        output.write(`removed: ${name}, ${sizeText(roomBytes)}\n`);
      } catch (error) {
        output.writeError(`${explain(error, output)}\n`);
        exitCode = error instanceof ConfigError ? EXIT.usage : EXIT.failed;
      }
    }
  });
  return exitCode;
}

function withStore(output: Output, work: (call: ImportCall) => Promise<void>): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    const progress = progressFor(process.stderr, { writeLine: (line) => output.writeError(`${line}\n`) });
    try {
      await work({ store: new ImageStore(), signal, say: progress.say });
    } finally {
      progress.stop();
    }
    return EXIT.ok;
  });
}

function told(stored: StoredImage): string {
  const { name, digest, sizeBytes } = imageFacts(stored);
  return `${name}, ${sizeText(sizeBytes)}, ${digest}`;
}

function builtFacts({ name, digest, boot, architecture, memoryBytes, virtualCpus }: GoldenImage): unknown {
  return { name, kind: boot.kind, architecture, memoryBytes, virtualCpus, digest };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
