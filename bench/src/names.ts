/**
 * The words that the bench knows, for whoever describes or completes a command line without loading the bench.
 *
 * @packageDocumentation
 */

/** Every suite, in the order in which they run. */
export const SUITE_NAMES: readonly string[] = [
  'acquire',
  'pool-engine',
  'rpc',
  'rpc-ssh',
  'list',
  'stream',
  'run',
  'boot',
  'reset',
  'detect',
  'density',
  'cycle',
  'init',
];

/** Every driver that needs no more than its name. */
export const DRIVER_NAMES: readonly string[] = ['fake', 'libvirt', 'libvirt-ssh', 'qemu'];
