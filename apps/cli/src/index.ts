/**
 * What a configuration file of warmvm needs, and a program that works with whatever it says.
 *
 * @packageDocumentation
 */
export {
  type DiskChoice,
  type DriverChoice,
  defineConfig,
  type GuestChoice,
  type ImageChoice,
  type KernelChoice,
  type PoolChoice,
  type TinyChoice,
  type WarmvmConfig,
} from './config/config.ts';
export { ConfigError } from './config/config-error.ts';
export type { Settings, SettingsFlags, SettingsSources } from './config/settings.ts';
export type { OpenPool } from './place/own-pool.ts';
export { loadSettings, openPool, type PoolOpening } from './programs.ts';
