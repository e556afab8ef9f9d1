import type { OwnerTag } from '@warmvm/core/driver';
import { toXml, XmlElement } from './xml.ts';

/** Name space of the mark in a domain's metadata. */
export const MARK_NAMESPACE = 'https://warmvm.dev/xmlns/mark/1';

/** What the metadata of a domain of ours says. It is the only thing that makes a domain ours. */
export interface Mark {
  readonly kind: 'machine' | 'golden';
  readonly owner: OwnerTag;
  readonly generation: number;
  /** Digest of the golden image. */
  readonly digest: string;
  /** Generation id that the guest carries in the golden snapshot: how a reset is proved. */
  readonly goldenId: string;
  /** Storage pool that its volumes lie in. */
  readonly storagePool: string;
  /** Names of its volumes, all of them, also those not made yet. */
  readonly volumes: readonly string[];
  /** How the agent is reached. */
  readonly agentTransport: 'channel' | 'libvirt';
  /** Absolute path of the renewal program in the guest. */
  readonly renewal: string;
}

/** The mark as an element for the XML builder, attributes prefixed by `@`. */
export function markElement(mark: Mark): Record<string, string> {
  return {
    '@xmlns:warmvm': MARK_NAMESPACE,
    '@kind': mark.kind,
    '@pool': mark.owner.pool,
    '@instance': mark.owner.instance,
    '@boot': mark.owner.process.bootId,
    '@pid': String(mark.owner.process.pid),
    '@started': mark.owner.process.startTime,
    '@generation': String(mark.generation),
    '@digest': mark.digest,
    '@golden': mark.goldenId,
    '@storage': mark.storagePool,
    '@volumes': mark.volumes.join(' '),
    '@agent': mark.agentTransport,
    '@renewal': mark.renewal,
  };
}

/** The same by the plain names of the attributes. */
export function markAttributes(mark: Mark): Record<string, string> {
  return Object.fromEntries(Object.entries(markElement(mark)).map(([name, value]) => [name.slice(1), value]));
}

/** The mark as libvirt takes it for `domainSetMetadata`, which adds the name space itself. */
export function markXml(mark: Mark): string {
  const { '@xmlns:warmvm': _namespace, ...attributes } = markElement(mark);
  return toXml({ mark: attributes });
}

/** Reads the mark out of the XML of a domain or a snapshot; undefined when the domain is not ours or its mark makes no sense. */
export function readMark(domainXml: string): Mark | undefined {
  const element = findMark(domainXml);
  if (element === undefined) return undefined;
  const text = (name: string): string => element.attribute(name) ?? '';
  const kind = text('kind');
  const pid = Number(text('pid'));
  const generation = Number(text('generation'));
  const agent = text('agent');
  const sensible =
    (kind === 'machine' || kind === 'golden') &&
    (agent === 'channel' || agent === 'libvirt') &&
    Number.isSafeInteger(pid) &&
    Number.isSafeInteger(generation) &&
    text('pool') !== '' &&
    text('instance') !== '' &&
    text('storage') !== '';
  if (!sensible) return undefined;
  return {
    kind,
    owner: {
      pool: text('pool'),
      instance: text('instance'),
      process: { bootId: text('boot'), pid, startTime: text('started') },
    },
    generation,
    digest: text('digest'),
    goldenId: text('golden'),
    storagePool: text('storage'),
    volumes: text('volumes')
      .split(' ')
      .filter((name) => name !== ''),
    agentTransport: agent,
    renewal: text('renewal'),
  };
}

/** Whatever prefix libvirt gives it. */
export function isMark(element: XmlElement): boolean {
  return element.name.endsWith(':mark') && element.attributeValues.includes(MARK_NAMESPACE);
}

function findMark(domainXml: string): XmlElement | undefined {
  try {
    const description = XmlElement.parse(domainXml, 'a domain');
    const domain = description.at('domain') ?? description.at('domainsnapshot', 'domain');
    return domain?.at('metadata')?.children().find(isMark);
  } catch {
    return undefined;
  }
}
