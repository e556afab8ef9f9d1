import { dirname, resolve } from 'node:path';
import { isImagePath } from '../images/image-name.ts';
import type { DriverChoice, ImageChoice, PoolChoice, WarmvmConfig } from './config.ts';
import { ConfigError, describeIssues } from './config-error.ts';
import { readConfigFile } from './config-file.ts';
import { configOfEnvironment } from './environment.ts';
import { findConfigFile } from './find-config-file.ts';
import { ConfigSchema } from './schema.ts';

/** What a command works with: the command line above the environment above the configuration file. */
export interface Settings {
  /** One for each host; none when nobody has chosen. */
  readonly drivers: readonly DriverChoice[];
  readonly image: ImageChoice;
  readonly pool: PoolChoice;
  /** The configuration file; undefined where there was none. */
  readonly configPath: string | undefined;
  /** Where relative paths and packages are looked for. */
  readonly folder: string;
}

/** What the command line says of all this. */
export interface SettingsFlags {
  readonly config?: string;
  readonly driver?: string;
  readonly uri?: string;
  readonly image?: string;
  readonly minReady?: number;
  readonly max?: number;
  readonly pool?: string;
}

/** Where the rest comes from; replaced in tests. */
export interface SettingsSources {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws ConfigError for a mistake anywhere */
export async function readSettings(
  flags: SettingsFlags,
  { folder, environment }: SettingsSources = { folder: process.cwd(), environment: process.env },
): Promise<Settings> {
  const path = flags.config ?? (environment.WARMVM_CONFIG || undefined) ?? findConfigFile(folder);
  const file = path === undefined ? undefined : await readConfigFile(path);
  const layers = [
    file?.config ?? {},
    ...[configOfEnvironment(environment), configOfFlags(flags)].map((config) => fromHere(checked(config), folder)),
  ];
  const chosen = layers.findLast(({ driver, drivers }) => driver !== undefined || drivers !== undefined);
  return {
    drivers: chosen === undefined ? [] : (chosen.drivers ?? [chosen.driver ?? '']).map(asChoice),
    image: layers.findLast(({ image }) => image !== undefined)?.image ?? 'tiny',
    pool: Object.assign({}, ...layers.map(({ pool }) => pool ?? {})) as PoolChoice,
    configPath: file?.path,
    folder: file === undefined ? folder : dirname(file.path),
  };
}

/** A path of the command line or the environment starts where the command does, whatever configuration there is. */
function fromHere(config: WarmvmConfig, folder: string): WarmvmConfig {
  const { image } = config;
  return typeof image === 'string' && isImagePath(image) ? { ...config, image: resolve(folder, image) } : config;
}

function asChoice(driver: string | DriverChoice): DriverChoice {
  return typeof driver === 'string' ? { use: driver } : driver;
}

function configOfFlags({ driver, uri, image, minReady, max, pool }: SettingsFlags): WarmvmConfig {
  if (uri !== undefined && driver === undefined) {
    throw new ConfigError('--uri needs --driver: an address alone does not say which driver takes it');
  }
  return {
    ...(driver === undefined ? {} : { driver: { use: driver, ...(uri === undefined ? {} : { options: { uri } }) } }),
    ...(image === undefined ? {} : { image }),
    pool: {
      ...(pool === undefined ? {} : { name: pool }),
      ...(minReady === undefined ? {} : { minReady }),
      ...(max === undefined ? {} : { max }),
    },
  };
}

function checked(config: WarmvmConfig): WarmvmConfig {
  const parsed = ConfigSchema.safeParse(config, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ConfigError(`the command line or the environment is wrong:\n${describeIssues(parsed.error)}`);
}
