import { randomBytes } from 'node:crypto';

/** Who a machine is from now on, and what its random numbers begin with. */
export interface Identity {
  readonly hostname: string;
  /** 32 hexadecimal digits, as in /etc/machine-id. */
  readonly machineId: string;
  /** 512 bits for the kernel's random number generator. */
  readonly seed: Uint8Array;
}

/** A new identity; the host name is the machine's name as far as a host name may be long (63, RFC 1123). */
export function identityFor(machineName: string): Identity {
  return {
    hostname: machineName.replaceAll('_', '-').slice(0, 63).replace(/-+$/, ''),
    machineId: randomBytes(16).toString('hex'),
    seed: randomBytes(64),
  };
}
