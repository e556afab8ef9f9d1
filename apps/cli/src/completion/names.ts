import type { Candidate, NameSource } from './complete.ts';

/** The names that there are on this computer. */
export const ownNames: NameSource = async (kind) => {
  switch (kind) {
    case 'drivers': {
      const { BUILT_IN_DRIVERS } = await import('../drivers/driver-table.ts');
      return Object.entries(BUILT_IN_DRIVERS).map(([value, { summary }]) => ({ value, description: summary }));
    }
    case 'pools': {
      const { poolNames } = await import('../kept-pool/runtime-folder.ts');
      return poolNames().map(plain);
    }
    case 'suites': {
      const { SUITE_NAMES } = await import('@warmvm/bench/names');
      return SUITE_NAMES.map(plain);
    }
    case 'images': {
      const [{ ImageStore }, { TINY }] = await Promise.all([
        import('../images/image-store.ts'),
        import('../images/image-name.ts'),
      ]);
      const stored = await new ImageStore().list();
      return [...new Set([TINY, ...stored.map(({ name }) => name)])].map(plain);
    }
  }
};

function plain(value: string): Candidate {
  return { value, description: '' };
}
