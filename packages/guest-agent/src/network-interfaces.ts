import type { CallOptions } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { asArray, asObject, asText } from './reply.ts';

/** A network interface as the guest tells of it. */
export interface GuestInterface {
  readonly name: string;
  /** Six hexadecimal bytes in lower case with colons; absent where it has none. */
  readonly hardwareAddress?: string;
  /** IPv4 and IPv6 addresses. */
  readonly addresses: readonly string[];
}

/** Asks for the interfaces of the guest, the loopback among them. */
export function networkInterfaces(caller: AgentCaller, options: CallOptions = {}): Promise<readonly GuestInterface[]> {
  return caller.call('guest-network-get-interfaces', undefined, decodeInterfaces, options);
}

function decodeInterfaces(value: unknown): readonly GuestInterface[] {
  return asArray(value, 'return').map((entry) => {
    const fields = asObject(entry, 'an interface');
    const hardware = fields['hardware-address'];
    const addresses = asArray(fields['ip-addresses'] ?? [], 'ip-addresses');
    return {
      name: asText(fields.name, 'name'),
      ...(hardware === undefined || hardware === null
        ? {}
        : { hardwareAddress: asText(hardware, 'hardware-address').toLowerCase() }),
      addresses: addresses.map((address) => asText(asObject(address, 'an address')['ip-address'], 'ip-address')),
    };
  });
}
