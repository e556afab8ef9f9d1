import type { Settings, SettingsFlags, SettingsSources } from './config/settings.ts';
import type { OpenPool } from './place/own-pool.ts';

/** Options of {@link openPool}. */
export interface PoolOpening {
  /** Gives up the making of the image. Not the end of the pool: dispose that. @default none */
  readonly signal?: AbortSignal;
  /** Told what is going on before the first machine is there, in words for people. @default nobody */
  readonly onProgress?: (text: string) => void;
}

/**
 * What the commands of warmvm work with here, for a program: `choice` stands above the environment, which stands above the configuration
 * file. Where nobody has chosen a driver, the best of this computer is in it.
 * @param choice what a command line would say; driver and image alone are enough to need no file
 * @param sources where the rest comes from: by default the folder and the environment of this process
 * @throws ConfigError for a mistake anywhere, or where there is no hypervisor
 */
export async function loadSettings(choice: SettingsFlags = {}, sources?: SettingsSources): Promise<Settings> {
  // Loaded when it is called: a configuration file imports this package too, and needs none of it.
  const [{ readSettings }, { withDriver }] = await Promise.all([
    import('./config/settings.ts'),
    import('./place/open-source.ts'),
  ]);
  return withDriver(await readSettings(choice, sources));
}

/**
 * Opens the pool that settings describe: loads the drivers, opens the image, and begins to make machines. Dispose closes the pool, with no
 * grace unless it is closed already, and then the drivers.
 * @throws ConfigError for a driver that cannot be loaded or refuses its options; what images throw; the signal's reason
 */
export async function openPool(settings: Settings, opening: PoolOpening = {}): Promise<OpenPool> {
  const { signal = new AbortController().signal, onProgress = () => {} } = opening;
  const own = await import('./place/own-pool.ts');
  return own.openPool(settings, { signal, say: onProgress });
}
