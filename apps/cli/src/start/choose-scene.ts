import { type HostFacts, obstacleTo, requireHypervisor } from '@warmvm/local-host';
import type { StartOptions } from './options.ts';

/** Which scene the main job plays in, and why. */
export type SceneChoice =
  | { readonly kind: 'qemu'; readonly why: string }
  | { readonly kind: 'libvirt'; readonly why: string }
  | { readonly kind: 'libvirt-ssh'; readonly why: string; readonly uri: string }
  | { readonly kind: 'fake'; readonly why: string };

/**
 * Real machines where they are possible, the fake else. Installs what is missing where this process may.
 * @throws WARMVM_HOST_UNREACHABLE when QEMU or libvirt was asked for and is not possible
 */
export async function chooseScene(
  { driver: wanted, uri }: Pick<StartOptions, 'driver' | 'uri'>,
  say: (text: string) => void,
  signal: AbortSignal,
  facts?: HostFacts,
): Promise<SceneChoice> {
  if (wanted === 'libvirt-ssh') {
    if (uri === undefined) throw new TypeError('--driver libvirt-ssh needs --uri qemu+ssh://user@host/system');
    return { kind: 'libvirt-ssh', why: 'asked for with --driver libvirt-ssh', uri };
  }
  if (uri !== undefined) throw new TypeError(`--uri is for --driver libvirt-ssh, not for ${wanted}; leave it out`);
  if (wanted === 'fake') return { kind: 'fake', why: 'asked for with --driver fake' };
  if (wanted === 'libvirt') {
    await requireHypervisor('libvirt', say, signal, facts);
    return { kind: 'libvirt', why: 'QEMU and libvirt are installed' };
  }
  if (wanted === 'auto') {
    const why = await obstacleTo('qemu', say, signal, facts);
    if (why !== undefined) return { kind: 'fake', why };
  } else await requireHypervisor('qemu', say, signal, facts);
  return { kind: 'qemu', why: 'QEMU is installed; neither a daemon nor root is needed' };
}
