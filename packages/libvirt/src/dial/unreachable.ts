import { LibvirtError } from '../error.ts';

/** Why a socket could not be opened, and what to do about it. */
export function unreachable(path: string, cause: NodeJS.ErrnoException): LibvirtError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    const message = `no permission for the libvirt socket ${path}; is this user in the group libvirt?`;
    return new LibvirtError('LIBVIRT_DENIED', message, { cause });
  }
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `no libvirt socket at ${path}; is libvirtd (or virtqemud) running?`,
    ECONNREFUSED: `nobody listens on the libvirt socket ${path}; libvirtd has ended and left it behind, start it again`,
    ENOTSOCK: `${path} is not a socket`,
  };
  const message = reasons[cause.code ?? ''] ?? `libvirt socket ${path} cannot be opened: ${cause.message}`;
  return new LibvirtError('LIBVIRT_UNREACHABLE', message, { cause, retryable: true });
}
