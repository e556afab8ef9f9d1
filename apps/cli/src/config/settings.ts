import { dirname, resolve } from 'node:path';
import { isImagePath } from '../images/image-name.ts';
import type { DriverChoice, ImageChoice, PoolChoice, WarmvmConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { describeIssues } from './describe-issues.ts';
import { configOfEnvironment } from './environment.ts';
import { findConfigFile } from './find-config-file.ts';
import { ConfigSchema } from './schema.ts';

/** What a command works with: the command line above the environment above the configuration file. */
export interface Settings {
  /** One for each host; none when nobody has chosen. */
  readonly drivers: readonly DriverChoice[];
  /** Where each of the drivers was named, for what is said of a mistake there. @default nowhere */
  readonly driverPlaces?: readonly DriverPlace[];
  readonly image: ImageChoice;
  readonly pool: PoolChoice;
  /** The configuration file; undefined where there was none. */
  readonly configPath: string | undefined;
  /** Where relative paths and packages are looked for. */
  readonly folder: string;
}

/** Where a driver was named. */
export interface DriverPlace {
  /** Path of a file, or words for people. */
  readonly from: string;
  /** The key of the driver there, such as `drivers[1]`. */
  readonly key: string;
  /** What the option `uri` is called there. */
  readonly uri: string;
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
  const file = path === undefined ? undefined : await readConfigFile(path, folder);
  const layers = [
    file?.config ?? {},
    fromHere(checked(configOfEnvironment(environment), 'the environment', VARIABLES), folder),
    fromHere(checked(configOfFlags(flags), 'the command line', FLAGS), folder),
  ];
  const chosenBy = layers.findLastIndex(({ driver, drivers }) => driver !== undefined || drivers !== undefined);
  const chosen = layers[chosenBy];
  const placed = chosen === undefined ? [] : chosenDrivers(chosen, chosenBy, file);
  return {
    drivers: placed.map(({ choice }) => choice),
    ...(placed.length === 0 ? {} : { driverPlaces: placed.map(({ place }) => place) }),
    image: layers.findLast(({ image }) => image !== undefined)?.image ?? 'tiny',
    pool: Object.assign({}, ...layers.map(({ pool }) => pool ?? {})) as PoolChoice,
    configPath: file?.path,
    folder: file === undefined ? folder : dirname(file.path),
  };
}

/** Layers, the highest last. */
const FILE = 0;
const ENVIRONMENT = 1;

/** A driver, and where it was named. */
interface PlacedDriver {
  readonly choice: DriverChoice;
  readonly place: DriverPlace;
}

/** A name alone means the driver of that name as the file describes it, where it does: its options, and every host that it has there. */
function chosenDrivers(chosen: WarmvmConfig, layer: number, file: ConfigFile | undefined): readonly PlacedDriver[] {
  const path = file?.path ?? '';
  const named = placedDrivers(chosen, layer, path);
  const [first] = named;
  if (layer === FILE || first?.choice.options !== undefined) return named;
  const described = placedDrivers(file?.config ?? {}, FILE, path).filter(
    ({ choice }) => choice.use === first?.choice.use,
  );
  return described.length > 0 ? described : named;
}

function placedDrivers({ driver, drivers }: WarmvmConfig, layer: number, path: string): readonly PlacedDriver[] {
  return (drivers ?? (driver === undefined ? [] : [driver])).map((each, index) => ({
    choice: typeof each === 'string' ? { use: each } : each,
    place: placeOf(drivers === undefined ? 'driver' : `drivers[${index}]`, layer, path),
  }));
}

function placeOf(key: string, layer: number, path: string): DriverPlace {
  if (layer === FILE) return { from: path, key, uri: `${key}.options.uri` };
  if (layer === ENVIRONMENT) return { from: 'the environment', key: 'WARMVM_DRIVER', uri: 'WARMVM_URI' };
  return { from: 'the command line', key: '--driver', uri: '--uri' };
}

/** A path of the command line or the environment starts where the command does, whatever configuration there is. */
function fromHere(config: WarmvmConfig, folder: string): WarmvmConfig {
  const { image } = config;
  return typeof image === 'string' && isImagePath(image) ? { ...config, image: resolve(folder, image) } : config;
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

/** What a part of the configuration is called elsewhere. */
const VARIABLES: Readonly<Record<string, string>> = {
  driver: 'WARMVM_DRIVER',
  'driver.use': 'WARMVM_DRIVER',
  image: 'WARMVM_IMAGE',
  'pool.name': 'WARMVM_POOL',
};
const FLAGS: Readonly<Record<string, string>> = {
  driver: '--driver',
  'driver.use': '--driver',
  image: '--image',
  'pool.name': '--pool',
};

function checked(config: WarmvmConfig, from: string, names: Readonly<Record<string, string>>): WarmvmConfig {
  const parsed = ConfigSchema.safeParse(config, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${from} is wrong:\n${describeIssues(parsed.error, (place) => names[place] ?? place)}`);
}
