import { type CallOptions, type Clock, sleep, WarmvmError } from '@warmvm/core/driver';
import type { GuestAgent } from '@warmvm/guest-agent';
import { INTERFACE_NAME } from '../command-line/interface-name.ts';
import { CARD_ID } from '../command-line/qemu-arguments.ts';
import type { Qemu } from '../process/qemu.ts';

/** A guest's card, as its golden snapshot knows it. */
export interface CardFacts {
  /** Name of it in the guest. */
  readonly interface: string;
}

/** What a renewal of the card is done with. */
export interface CardLimits extends CallOptions {
  readonly timeoutMs: number;
}

const LOOK_DELAY_MS = 200;

/**
 * Finds the card in a guest that has booted, and has it take on the address that it has, which shows that it can take on others.
 * @throws WARMVM_NOT_READY when the guest has no such card in time, or no `ip`
 */
export async function findCard(
  agent: GuestAgent,
  mac: string,
  options: CardLimits & { readonly clock: Clock },
): Promise<CardFacts> {
  const { clock, timeoutMs } = options;
  const deadlineMs = clock.now() + timeoutMs;
  for (;;) {
    const found = (await agent.networkInterfaces(options)).find(({ hardwareAddress }) => hardwareAddress === mac);
    if (found !== undefined && INTERFACE_NAME.test(found.name)) {
      const card = { interface: found.name };
      await setAddress(agent, card, mac, options);
      return card;
    }
    if (clock.now() >= deadlineMs) {
      throw notRenewed(`the guest shows no network card ${mac}`, {
        mac,
        remedy: 'an image with the driver virtio_net',
      });
    }
    await sleep(clock, LOOK_DELAY_MS, options.signal);
  }
}

/**
 * Gives the card an address of this generation's own: the device comes with the template's, whatever QEMU was started with. Believed
 * when both the guest and QEMU say so.
 * @throws WARMVM_NOT_READY
 */
export async function renewCard(
  { agent, qemu }: { readonly agent: GuestAgent; readonly qemu: Qemu },
  card: CardFacts,
  mac: string,
  options: CardLimits,
): Promise<void> {
  await setAddress(agent, card, mac, options);
  const [interfaces, filters] = await Promise.all([
    agent.networkInterfaces(options),
    qemu.execute('query-rx-filter', options, { name: CARD_ID }),
  ]);
  const seen = {
    guest: interfaces.find(({ name }) => name === card.interface)?.hardwareAddress,
    device: mainAddress(filters),
  };
  if (seen.guest === mac && seen.device === mac) return;
  throw notRenewed(`the network card has not taken on the address ${mac}`, { expected: mac, ...seen });
}

/** Pulls the cable of the card, or plugs it in. */
export async function setLink(qemu: Qemu, up: boolean, options: CardLimits): Promise<void> {
  await qemu.execute('set_link', options, { name: CARD_ID, up });
}

async function setAddress(agent: GuestAgent, card: CardFacts, mac: string, options: CardLimits): Promise<void> {
  const command = ['ip', 'link', 'set', 'dev', card.interface, 'address', mac];
  const { exitCode, stderr } = await agent.exec(command, { ...options, maxOutputBytes: 500 });
  if (exitCode === 0) return;
  const said = Buffer.from(stderr).toString('latin1');
  throw notRenewed(`the guest's \`ip\` could not set the address of ${card.interface}`, { command, exitCode, said });
}

function mainAddress(filters: unknown): unknown {
  return Array.isArray(filters)
    ? (filters[0] as { readonly 'main-mac'?: unknown } | undefined)?.['main-mac']
    : undefined;
}

function notRenewed(message: string, details: Record<string, unknown>): WarmvmError {
  return new WarmvmError('WARMVM_NOT_READY', message, { details });
}
