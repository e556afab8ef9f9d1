import type { WarmvmConfig } from './config.ts';
import { ConfigError } from './config-error.ts';

/** Variables that stand above the configuration file, and below the command line. */
export const ENVIRONMENT_VARIABLES: Readonly<Record<string, string>> = {
  WARMVM_CONFIG: 'path of the configuration file',
  WARMVM_DRIVER: 'driver: fake, qemu, libvirt, libvirt-ssh, a package or a file',
  WARMVM_URI: 'option uri of the driver',
  WARMVM_IMAGE: 'image: tiny, a name of yours, or the path of a disk image',
  WARMVM_POOL: 'name of the pool',
  WARMVM_MIN_READY: 'spare ready machines',
  WARMVM_MAX: 'machines at most',
  WARMVM_RUNTIME_DIR: 'folder of the sockets of kept pools (an absolute path)',
};

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, as a configuration. @throws ConfigError that names the variable */
export function configOfEnvironment(environment: Environment): WarmvmConfig {
  const text = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const [driver, uri, image, pool] = ['DRIVER', 'URI', 'IMAGE', 'POOL'].map((name) => text(`WARMVM_${name}`));
  const minReady = wholeNumber('WARMVM_MIN_READY', text('WARMVM_MIN_READY'), 0);
  const max = wholeNumber('WARMVM_MAX', text('WARMVM_MAX'), 1);
  if (uri !== undefined && driver === undefined) {
    throw new ConfigError('WARMVM_URI needs WARMVM_DRIVER: an address alone does not say which driver takes it');
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

function wholeNumber(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new ConfigError(`${name} must be a whole number of at least ${least}, not ${JSON.stringify(value)}`);
}
