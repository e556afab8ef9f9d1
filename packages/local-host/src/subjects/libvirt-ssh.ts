import { createLibvirtSshDriver, type SshWay } from '@warmvm/driver-libvirt-ssh';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { startPrivateSshd } from '../private-sshd.ts';
import { CuttableProxy } from './cuttable-proxy.ts';
import { libvirtSubject, VARIANTS, type Variant } from './libvirt.ts';
import { requireOptions } from './options.ts';

const WAYS: readonly SshWay[] = ['streamlocal', 'helper', 'netcat'];

/** Real machines on this computer's libvirt, over an sshd that is started for it. Option `way` chooses how its socket is reached. */
export async function kitSubject(request: SubjectRequest): Promise<OpenSubject> {
  requireOptions(request.options, { ...VARIANTS, way: WAYS });
  const { way = 'streamlocal', ...variant } = request.options as Variant & { readonly way?: SshWay };
  return libvirtSubject(request, variant, async (stack, socketPath) => {
    const sshd = stack.use(await startPrivateSshd(['MaxStartups 100']));
    const proxy = stack.use(await CuttableProxy.start(sshd.port));
    // Its key is known by the port of sshd; the alias of a file of its own knows it by that of the proxy.
    const knownHosts = `${sshd.folder}/proxied`;
    const options = { ...sshd.options, port: proxy.port, knownHosts, hostKeys: 'accept-new' as const };
    return {
      name: `libvirt-ssh ${way}`,
      packageName: '@warmvm/driver-libvirt-ssh',
      driver: ({ uri: _uri, dial: _dial, guardian: _guardian, ...rest }) =>
        createLibvirtSshDriver({
          ...rest,
          ...options,
          way,
          guardian: false,
          ...(way === 'helper' ? {} : { socketPath }),
        }),
      passesSocket: way !== 'helper',
      cut: () => proxy.cut(),
    };
  });
}
