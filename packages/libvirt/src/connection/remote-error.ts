import { ErrorNumber } from '../constants/error-number.ts';
import { LibvirtError } from '../error.ts';
import { domain, network } from '../procedures/references.ts';
import { i32, optional, string, struct, XdrReader } from '../xdr/index.ts';

const text = optional(string());

const codec = struct({
  code: i32,
  domain: i32,
  message: text,
  level: i32,
  dom: optional(domain),
  str1: text,
  str2: text,
  str3: text,
  int1: i32,
  int2: i32,
  net: optional(network),
});

/** Longest text of a daemon that an error carries. */
const maxMessageLength = 4_096;

/** A daemon's text on its way to a log or a terminal: bounded, and without characters that would control either. */
function cleaned(message: string): string {
  const short = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}...` : message;
  return short.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

/** Codes after which the same request may succeed: a lock, a guest or a resource was busy. */
const retryable: ReadonlySet<number> = new Set([
  ErrorNumber.OPERATION_TIMEOUT,
  ErrorNumber.AGENT_UNRESPONSIVE,
  ErrorNumber.AGENT_UNSYNCED,
  ErrorNumber.RESOURCE_BUSY,
]);

/**
 * The error that a reply or stream packet with status error carries.
 * @throws LibvirtError `LIBVIRT_PROTOCOL` when the payload is no error.
 */
export function decodeRemoteError(payload: Uint8Array, what: string): LibvirtError {
  const reader = new XdrReader(payload);
  const { code, domain: layer, message, level, int1 } = codec.decode(reader);
  return new LibvirtError('LIBVIRT_REMOTE', `${what}: ${cleaned(message ?? '') || `libvirt error ${code}`}`, {
    libvirtCode: code,
    libvirtDomain: layer,
    libvirtLevel: level,
    ...(code === ErrorNumber.SYSTEM_ERROR && int1 > 0 ? { systemErrorNumber: int1 } : {}),
    retryable: retryable.has(code),
  });
}
