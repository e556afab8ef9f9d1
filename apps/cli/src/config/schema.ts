import { z } from 'zod';
import type { WarmvmConfig } from './config.ts';

const text = z.string().min(1);
const count = z.number().int().min(0);
const positive = z.number().int().min(1);
const durationMs = z
  .number()
  .min(0)
  .max(2 ** 31 - 1);
const bytes = z.number().int().min(1);

const driverChoice = z.strictObject({
  use: text.describe('fake, qemu, libvirt, libvirt-ssh, or a package or file that exports createDriver'),
  options: z.record(z.string(), z.unknown()).optional().describe('options of the driver, as its README says'),
  max: positive.optional().describe('machines on this host at most; default: the max of the pool'),
});

const Guest = {
  memoryBytes: bytes.optional().describe('memory of each machine'),
  virtualCpus: positive.optional(),
  network: z.enum(['none', 'user']).optional().describe('default: none'),
};

const imageChoice = z.union([
  text.describe('tiny, a name of warmvm image, or the path of a disk image, relative to this file'),
  z.strictObject({ tiny: z.literal(true), ...Guest }),
  z.strictObject({
    disk: text.describe('path of a qcow2, relative to this file'),
    renewal: text.optional().describe('path of the renewal program in the guest'),
    ...Guest,
  }),
  z.strictObject({
    kernel: text,
    initrd: text,
    commandLine: z.string().optional(),
    renewal: text.optional(),
    ...Guest,
  }),
]);

const poolChoice = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, '1 to 40 letters, digits, - or _')
    .optional(),
  minReady: count.optional().describe('spare ready machines to hold; default 1'),
  max: positive.optional().describe('machines at most, those being made and destroyed included; default 4'),
  maxAgeMs: durationMs.optional(),
  maxTurns: positive.optional(),
  maxIdleMs: durationMs.optional(),
  leaseMs: durationMs.optional(),
  acquireTimeoutMs: durationMs.optional(),
  maxWaiting: count.optional(),
  creationsPerSecond: z.number().positive().optional(),
  checkIdleEveryMs: durationMs.optional(),
  resetConcurrency: positive.optional(),
  forkConcurrency: positive.optional(),
  reset: z.enum(['auto', 'never']).optional(),
  adopt: z.enum(['remove', 'reset']).optional(),
});

/** What a configuration file may hold. The JSON schema of the package is made from this. */
export const ConfigSchema: z.ZodType<WarmvmConfig> = z
  .strictObject({
    $schema: z.string().optional(),
    driver: z
      .union([text, driverChoice])
      .optional()
      .describe('default: qemu where it is installed, else libvirt where its daemon answers'),
    drivers: z
      .array(z.union([text, driverChoice]))
      .min(1)
      .optional()
      .describe('several hosts in one pool, instead of driver'),
    image: imageChoice.optional().describe('default: tiny'),
    pool: poolChoice.optional(),
  })
  .refine((config) => config.driver === undefined || config.drivers === undefined, {
    message: 'give either driver or drivers, not both',
    path: ['drivers'],
  });
