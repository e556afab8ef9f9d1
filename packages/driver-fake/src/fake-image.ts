import type { GoldenImage } from '@warmvm/core/driver';

/**
 * A valid description of a golden image whose files do not exist: enough for a driver that reads none.
 * @param overrides replace fields; give another `digest` for another image
 */
export function fakeImage(overrides: Partial<GoldenImage> = {}): GoldenImage {
  return {
    name: 'fake',
    digest: `sha256:${'fa'.repeat(32)}`,
    architecture: 'x86_64',
    boot: {
      kind: 'kernel',
      kernel: { path: '/nonexistent/vmlinuz', digest: `sha256:${'0a'.repeat(32)}`, sizeBytes: 14_000_000 },
      initrd: { path: '/nonexistent/initrd', digest: `sha256:${'0b'.repeat(32)}`, sizeBytes: 4_000_000 },
      commandLine: 'quiet',
      diskBytes: 64 * 1024 ** 2,
    },
    memoryBytes: 256 * 1024 ** 2,
    virtualCpus: 1,
    network: 'none',
    renewal: { command: '/usr/lib/warmvm/renew' },
    ...overrides,
  };
}
