import { ErrorNumber } from '../constants/error-number.ts';
import { isLibvirtError, LibvirtError } from '../error.ts';
import type { Connection } from './contract.ts';
import type { Settings } from './options.ts';

const AuthType = { NONE: 0, SASL: 1, POLKIT: 2 } as const;

const denials: readonly number[] = [ErrorNumber.AUTH_FAILED, ErrorNumber.AUTH_CANCELLED, ErrorNumber.AUTH_UNAVAILABLE];

/**
 * Authenticates and opens the driver. The daemon is never asked for keepalive (feature 10): it would then drop a
 * client whose answers it does not read itself while five calls are under way.
 * @throws LibvirtError `LIBVIRT_DENIED`, `LIBVIRT_UNSUPPORTED`, or what the daemon answered.
 */
export async function handshake(connection: Connection, settings: Settings, signal: AbortSignal): Promise<void> {
  const options = { signal, timeoutMs: settings.openTimeoutMs };
  // Needed even for root: it is this very call that marks a connection of uid 0 as authenticated.
  const { types } = await connection.call('authList', {}, options);
  await authenticate(connection, types, options);
  await connection.call('connectOpen', { name: settings.driverUri, flags: settings.readOnly ? 1 : 0 }, options);
}

async function authenticate(
  connection: Connection,
  types: readonly number[],
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  if (types.length === 0 || types.includes(AuthType.NONE)) return;
  if (!types.includes(AuthType.POLKIT)) {
    const what = types.includes(AuthType.SASL) ? 'SASL authentication' : `authentication of type ${types.join(', ')}`;
    const message = `the daemon demands ${what}, which this client does not support; reach it through its unix socket`;
    throw new LibvirtError('LIBVIRT_UNSUPPORTED', message);
  }
  try {
    const { complete } = await connection.call('authPolkit', {}, options);
    if (complete !== 1) throw new LibvirtError('LIBVIRT_DENIED', 'polkit did not complete the authentication');
  } catch (cause) {
    throw isLibvirtError(cause) && denials.includes(cause.libvirtCode ?? 0) ? deniedError(cause) : cause;
  }
}

function deniedError(cause: LibvirtError): LibvirtError {
  const message = `polkit refused this user (${cause.message}); members of the group libvirt usually pass`;
  const { libvirtCode, libvirtDomain, libvirtLevel } = cause;
  return new LibvirtError('LIBVIRT_DENIED', message, { cause, libvirtCode, libvirtDomain, libvirtLevel });
}
