/**
 * What a configuration file of warmvm needs.
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
