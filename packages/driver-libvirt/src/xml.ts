import { XMLBuilder } from 'fast-xml-parser';

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
