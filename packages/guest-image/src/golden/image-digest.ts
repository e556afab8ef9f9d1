import { createHash } from 'node:crypto';
import type { GoldenImage } from '@warmvm/core/driver';

/** Everything of a golden image that its digest covers. */
export type DigestedImage = Omit<GoldenImage, 'name' | 'digest'>;

/**
 * The digest of a golden image: `sha256:` and 64 hexadecimal digits over all that makes a machine what it is. Names and
 * paths do not count; the content of files does, through their own digests. The order of properties does not matter.
 */
export function imageDigest(image: DigestedImage): string {
  const { boot } = image;
  const facts = [
    'warmvm golden image 1',
    image.architecture,
    image.memoryBytes,
    image.virtualCpus,
    image.network,
    image.renewal === undefined ? null : [image.renewal.command],
    boot.kind === 'kernel'
      ? ['kernel', boot.kernel.digest, boot.initrd.digest, boot.commandLine, boot.diskBytes]
      : ['disk', boot.disk.digest, boot.format, boot.diskBytes, ...(boot.seed === undefined ? [] : [boot.seed.digest])],
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(facts)).digest('hex')}`;
}

/** Adds the digest to an image and freezes it. */
export function sealImage(name: string, image: DigestedImage): GoldenImage {
  const { boot } = image;
  const sealedBoot =
    boot.kind === 'kernel'
      ? { ...boot, kernel: Object.freeze({ ...boot.kernel }), initrd: Object.freeze({ ...boot.initrd }) }
      : {
          ...boot,
          disk: Object.freeze({ ...boot.disk }),
          ...(boot.seed === undefined ? {} : { seed: Object.freeze({ ...boot.seed }) }),
        };
  return Object.freeze({
    name,
    digest: imageDigest(image),
    ...image,
    boot: Object.freeze(sealedBoot),
    ...(image.renewal === undefined ? {} : { renewal: Object.freeze({ ...image.renewal }) }),
  });
}
