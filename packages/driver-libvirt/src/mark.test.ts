import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MARK_NAMESPACE, type Mark, markElement, markXml, readMark } from './mark.ts';
import { toXml } from './xml.ts';

const mark: Mark = {
  kind: 'machine',
  owner: { pool: 'demo', instance: 'i-1', process: { bootId: 'b', pid: 42, startTime: '99' } },
  generation: 3,
  digest: 'sha256:0',
  goldenId: 'g',
  storagePool: 'warmvm',
  volumes: ['a.img', 'a.kernel'],
  agentTransport: 'channel',
  renewal: '/renew',
};

function domain(element: object): string {
  return toXml({ domain: { name: 'x', metadata: { 'warmvm:mark': element } } });
}

const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((value) => !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(value));
const word = fc.stringMatching(/^[\w.-]{1,30}$/);

describe('the mark', () => {
  test('is read as it was written, whatever characters are in it', () => {
    const marks: fc.Arbitrary<Mark> = fc.record({
      kind: fc.constantFrom('machine', 'golden'),
      owner: fc.record({
        pool: word,
        instance: word,
        process: fc.record({ bootId: text, pid: fc.nat(), startTime: text }),
      }),
      generation: fc.nat(),
      digest: text,
      goldenId: text,
      storagePool: word,
      volumes: fc.array(word, { maxLength: 4 }),
      agentTransport: fc.constantFrom('channel', 'libvirt'),
      renewal: text,
    });
    fc.assert(
      fc.property(marks, (written) => {
        expect(readMark(domain(markElement(written)))).toEqual(written);
      }),
    );
  });

  test('leaves its name space to libvirt where libvirt adds it', () => {
    expect(markXml(mark)).toMatch(/^<mark kind="machine"/);
    expect(markXml(mark)).not.toContain('xmlns');
  });

  test('is found whatever prefix libvirt gives it', () => {
    const xml = domain(markElement(mark)).replaceAll('warmvm:mark', 'ns0:mark').replace('xmlns:warmvm', 'xmlns:ns0');
    expect(readMark(xml)).toEqual(mark);
  });
});

describe('readMark', () => {
  test.each([
    ['no metadata', '<domain><name>x</name></domain>'],
    ['empty metadata', '<domain><metadata/></domain>'],
    ['a mark of another name space', domain(markElement(mark)).replace(MARK_NAMESPACE, 'https://example.org/')],
    ['another element', domain(markElement(mark)).replaceAll(':mark', ':label')],
    ['text that is no XML', 'not & <xml'],
    ['nothing', ''],
  ])('takes a domain with %s for somebody else’s', (_what, xml) => {
    expect(readMark(xml)).toBeUndefined();
  });

  test.each([
    ['kind', 'lion'],
    ['agent', 'telegraph'],
    ['pid', 'many'],
    ['generation', '1.5'],
    ['pool', ''],
    ['instance', ''],
    ['storage', ''],
  ])('believes no mark whose %s is %o', (name, value) => {
    expect(readMark(domain({ ...markElement(mark), [`@${name}`]: value }))).toBeUndefined();
  });

  test('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      '<domain>',
      '<metadata>',
      '<warmvm:mark ',
      MARK_NAMESPACE,
      '/>',
      '&#0;',
      '<!DOCTYPE a [',
      ']>',
      '"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        expect(() => readMark(pieces.join(''))).not.toThrow();
      }),
    );
  });

  test('expands no entities without end', () => {
    const bomb = `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "${'&a;'.repeat(50)}">]><domain><metadata><warmvm:mark xmlns:warmvm="${MARK_NAMESPACE}" pool="${'&b;'.repeat(2000)}"/></metadata></domain>`;
    expect(readMark(bomb)).toBeUndefined();
  });
});
