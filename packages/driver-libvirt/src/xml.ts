import { WarmvmError } from '@warmvm/core/driver';
import { XMLBuilder, XMLParser } from 'fast-xml-parser';

const builder: XMLBuilder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressBooleanAttributes: false,
  suppressEmptyNode: true,
});

/** XML of nested objects: names with `@` are attributes, `#text` is text; everything is escaped. */
export function toXml(document: object): string {
  return builder.build(document);
}

/** The description of a host with thousands of CPUs is a third of this. Parsing this much takes about a second. */
const MAX_XML_CHARS = 2 ** 20;

const ORDERED = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  suppressBooleanAttributes: false,
} as const;
const parser: XMLParser = new XMLParser({
  ...ORDERED,
  parseAttributeValue: false,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  processEntities: { enabled: true, maxTotalExpansions: 1000 },
});
const orderedBuilder: XMLBuilder = new XMLBuilder({ ...ORDERED, suppressEmptyNode: true });

/** Keys of the parser's own tree. */
const ATTRIBUTES = ':@';
const TEXT = '#text';

type Attributes = Readonly<Record<string, string>>;
type RawNode = Readonly<Record<string, readonly RawNode[] | string | Attributes>>;

/** One element of what a daemon sent. The root stands above the outermost element. */
export class XmlElement {
  readonly #content: readonly RawNode[];
  readonly #attributes: Attributes;
  readonly name: string;

  private constructor(name: string, content: readonly RawNode[], attributes: Attributes) {
    this.name = name;
    this.#content = content;
    this.#attributes = attributes;
  }

  /**
   * Reads XML of a daemon. `what` names it for the error.
   * @throws WARMVM_HOST_PROTOCOL for text that is not XML, or larger than 1 MiB
   */
  static parse(text: string, what: string): XmlElement {
    if (text.length > MAX_XML_CHARS) {
      throw unreadable(what, `it has ${text.length} characters, expected at most ${MAX_XML_CHARS}`);
    }
    try {
      return new XmlElement('', parser.parse(text), {});
    } catch (cause) {
      throw unreadable(what, 'it is not XML', cause);
    }
  }

  /** Elements inside this one, of this name if one is given. */
  children(name?: string): readonly XmlElement[] {
    return this.#content.flatMap((node) => {
      const found = Object.keys(node).find((key) => key !== ATTRIBUTES && key !== TEXT);
      if (found === undefined || (name !== undefined && found !== name)) return [];
      return [new XmlElement(found, node[found] as readonly RawNode[], attributesOf(node))];
    });
  }

  /** The first element at this path of names. */
  at(...path: readonly string[]): XmlElement | undefined {
    const [name, ...rest] = path;
    if (name === undefined) return this;
    for (const child of this.children(name)) {
      const found = child.at(...rest);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  attribute(name: string): string | undefined {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
  }

  /** Values of all attributes. */
  get attributeValues(): readonly string[] {
    return Object.values(this.#attributes);
  }

  /** Its own text, without that of elements inside. */
  get text(): string {
    return this.#content.map((node) => (typeof node[TEXT] === 'string' ? node[TEXT] : '')).join('');
  }

  /** As text again. Each element may be replaced, and each text and value of an attribute. */
  toText(
    change: {
      readonly element?: (element: XmlElement) => XmlReplacement | undefined;
      readonly value?: (value: string) => string;
    } = {},
  ): string {
    const { element: replace = () => undefined, value: rewrite = (value: string) => value } = change;
    const rewritten = (content: readonly RawNode[]): readonly RawNode[] =>
      content.map((node) => {
        if (typeof node[TEXT] === 'string') return { [TEXT]: rewrite(node[TEXT]) };
        const name = Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';
        const inner = node[name] as readonly RawNode[];
        const replacement = replace(new XmlElement(name, inner, attributesOf(node)));
        if (replacement !== undefined) return { [name]: [], [ATTRIBUTES]: replacement.attributes };
        const attributes = Object.entries(attributesOf(node)).map(([key, value]) => [key, rewrite(value)]);
        return { [name]: rewritten(inner), [ATTRIBUTES]: Object.fromEntries(attributes) };
      });
    const self = this.name === '' ? this.#content : [{ [this.name]: this.#content, [ATTRIBUTES]: this.#attributes }];
    return orderedBuilder.build(rewritten(self));
  }
}

/** An empty element of the same name with these attributes instead. */
export interface XmlReplacement {
  readonly attributes: Attributes;
}

function attributesOf(node: RawNode): Attributes {
  return (node[ATTRIBUTES] ?? {}) as Attributes;
}

function unreadable(what: string, why: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_PROTOCOL', `cannot read ${what} of the libvirt daemon: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { what, remedy: 'check that the daemon at this address is libvirt' },
  });
}
