/**
 * Golden images: a tiny reproducible one from Debian packages, or your own described.
 *
 * @packageDocumentation
 */

export {
  type DescribeDiskOptions,
  type DiskFacts,
  describeDiskImage,
  inspectDiskImage,
} from './describe/describe-disk-image.ts';
export { type DescribeKernelOptions, describeKernelImage } from './describe/describe-kernel-image.ts';
export type { DescribeOptions } from './describe/describe-options.ts';
export { type DigestProgress, type ReferOptions, referToFile } from './golden/file-digest.ts';
export { type DigestedImage, imageDigest } from './golden/image-digest.ts';
export { buildTinyImage } from './image/build-tiny-image.ts';
export type { TinyImageOptions, TinyImageProgress } from './image/tiny-options.ts';
export type { PackageSource, SourcePackage } from './packages/package-source.ts';
export { type EmptyQcow2Options, emptyQcow2 } from './qcow2/empty-qcow2.ts';
export { type CloudSeed, cloudSeed, type SeedValue } from './seed/cloud-seed.ts';
