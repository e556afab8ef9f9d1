import { describe, expect, test } from 'vitest';
import { libvirtContainment } from './containment.ts';
import { hasVirtualisation, hostCpuXml } from './host-cpu.ts';
import { readMark } from './mark.ts';
import { toXml, XmlElement } from './xml.ts';

const parse = (text: string): XmlElement => XmlElement.parse(text, 'the capabilities');

describe('XML of a daemon', () => {
  test('is found by path, with every character as it was written', () => {
    const path = `/srv/a&b <c> "d" 'e' $& ${'é'.repeat(3)}`;
    const xml = toXml({ pool: { '@type': path, target: { path } } });
    expect(parse(xml).at('pool', 'target', 'path')?.text).toBe(path);
    expect(parse(xml).at('pool')?.attribute('type')).toBe(path);
    expect(parse(xml).at('pool', 'nothing')).toBeUndefined();
    expect(parse(xml).at('pool')?.attribute('toString')).toBeUndefined();
  });

  test('is the same text again, comments and declaration aside', () => {
    const xml = `<a x="1 &amp; &quot;2&quot;"><b/>\n <c y='3'>text &lt; more</c> tail<b k="v"/></a>`;
    expect(parse(`<?xml version='1.0'?><!-- not ours -->${xml}`).toText()).toBe(xml.replaceAll("'", '"'));
  });

  test('is rewritten by whole values and whole elements only', () => {
    const xml = '<a name="old"><name>old</name><name>older</name><mark old="old"/></a>';
    const changed = parse(xml).toText({
      element: ({ name }) => (name === 'mark' ? { attributes: { by: '$&' } } : undefined),
      value: (value) => (value === 'old' ? '$& <new>' : value),
    });
    expect(changed).toBe(
      '<a name="$&amp; &lt;new&gt;"><name>$&amp; &lt;new&gt;</name><name>older</name><mark by="$&amp;"/></a>',
    );
  });

  test.each([
    ['text that is not XML', 'not & <xml'],
    ['more than a person could want', '<a>'.padEnd(2 ** 20 + 1)],
    ['endless entities', `<!DOCTYPE d [<!ENTITY a "aaaa">]><d>${'&a;'.repeat(2_000)}</d>`],
  ])('that is %s is a fault of the protocol', (_what, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'WARMVM_HOST_PROTOCOL' }));
  });

  // Each took minutes while regular expressions read it.
  const filled = (piece: string, before = '', after = ''): string =>
    before + piece.repeat(Math.floor((2 ** 20 - before.length - after.length) / piece.length)) + after;
  test.each<[string, string, (text: string) => unknown]>([
    ['hosts that never end', filled('<host>'), (text) => hostCpuXml(parse(text))],
    ['labels that never end', filled('<secmodel>', '<capabilities><host>'), (text) => libvirtContainment(parse(text))],
    [
      'labels without a number',
      filled('<baselabel>', '<capabilities><host>'),
      (text) => libvirtContainment(parse(text)),
    ],
    ['paths that never end', filled('<target><path>', '<pool>'), (text) => parse(text).at('pool', 'target', 'path')],
    ['features that never end', filled("<feature name='", '<cpu>'), (text) => hasVirtualisation(text)],
    ['marks that never end', filled('<warmvm:mark ', '<domain><metadata>'), (text) => readMark(text)],
    ['many elements', filled('<b/>', '<a>', '</a>'), (text) => parse(text)],
    ['many attributes', filled('x="1" ', '<a ', '/>'), (text) => parse(text)],
  ])(
    'of 1 MiB with %s is read or refused before a person would wait for it',
    { timeout: 30_000 },
    (_what, text, read) => {
      try {
        read(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
      }
    },
  );
});
