import { createRequire } from 'node:module';

/** The pools of npm that warmvm is compared with. They come with no package of ours: whoever compares installs them. */
export const PEER_NAMES = ['generic-pool', 'tarn', 'lightning-pool', 'pg-pool', 'sequelize-pool'] as const;

const require: NodeJS.Require = createRequire(import.meta.url);

/** Path of a peer's main file. @throws Error where it is not installed */
export function peerFile(name: string): string {
  return require.resolve(name);
}

/** What there is to install before pools can be compared; null when all are there. @param find replaced in tests */
export function missingPeers(find: (name: string) => unknown = peerFile): string | null {
  const missing = PEER_NAMES.filter((name) => {
    try {
      find(name);
      return false;
    } catch {
      return true;
    }
  });
  return missing.length === 0
    ? null
    : `it compares with pools that are not installed here: npm install ${missing.join(' ')}`;
}
