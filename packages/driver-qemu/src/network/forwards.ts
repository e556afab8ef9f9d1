import { type PortForward, WarmvmError } from '@warmvm/core/driver';
import { NETWORK_ID } from '../command-line/qemu-arguments.ts';
import type { Qemu, QemuCallOptions } from '../process/qemu.ts';
import type { QemuForward } from './network-option.ts';

/** What the guest has in every user network. */
const GUEST_ADDRESS = '10.0.2.15';
const FORWARD = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s/gm;

/**
 * Opens ports that lead to the guest, and resolves with them as they are. Only now, rather than by the command line: nobody reaches a
 * guest that is not renewed, processes that wait take no port, and of a port that was left open QEMU tells which it is.
 * @throws WARMVM_HOST_OPERATION when one cannot be had
 */
export async function openForwards(
  qemu: Qemu,
  wanted: readonly Required<QemuForward>[],
  options: QemuCallOptions,
): Promise<readonly PortForward[]> {
  if (wanted.length === 0) return [];
  for (const forward of wanted) {
    const { protocol, hostAddress, hostPort, guestPort } = forward;
    const rule = `${protocol}:${hostAddress}:${hostPort}-${GUEST_ADDRESS}:${guestPort}`;
    const said = await tell(qemu, `hostfwd_add ${NETWORK_ID} ${rule}`, options);
    if (said !== '') throw notOpened(forward, said);
  }
  const table = await tell(qemu, 'info usernet', options);
  const open = [...table.matchAll(FORWARD)].map(([, protocol, hostAddress, hostPort, , guestPort]) => ({
    protocol: protocol === 'TCP' ? ('tcp' as const) : ('udp' as const),
    hostAddress: hostAddress === '*' ? '0.0.0.0' : String(hostAddress),
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  }));
  return wanted.map((forward) => {
    const found = open.find(
      ({ protocol, hostAddress, guestPort }) =>
        protocol === forward.protocol && hostAddress === forward.hostAddress && guestPort === forward.guestPort,
    );
    if (found === undefined) throw notOpened(forward, 'QEMU does not list it');
    return found;
  });
}

/** User networks are ruled by the monitor for people alone. */
async function tell(qemu: Qemu, line: string, options: QemuCallOptions): Promise<string> {
  return String(await qemu.execute('human-monitor-command', options, { 'command-line': line })).trim();
}

function notOpened({ protocol, hostAddress, hostPort, guestPort }: Required<QemuForward>, said: string): WarmvmError {
  const where = `${hostAddress}:${hostPort}`;
  return new WarmvmError('WARMVM_HOST_OPERATION', `${protocol} port ${where} cannot be forwarded: ${said}`, {
    details: {
      ...{ protocol, hostAddress, hostPort, guestPort },
      remedy:
        'hostPort 0 takes a free port for each machine; one of them can have a port of your choice, and ports below 1024 are for root',
    },
  });
}
