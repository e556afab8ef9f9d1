import { expect, test } from 'vitest';
import { parseUri } from './uri.ts';

test('a plus sign in a parameter stays one, as libvirt has it', () => {
  expect(parseUri('test:///default?socket=/run/a+b').params.get('socket')).toBe('/run/a+b');
});

test('escapes in a parameter are resolved', () => {
  expect(parseUri('test:///default?socket=/run/a%20b%2Bc').params.get('socket')).toBe('/run/a b+c');
});

test('a value keeps its own equals signs', () => {
  expect(parseUri('qemu:///system?command=/bin/x=y').params.get('command')).toBe('/bin/x=y');
});

test('parameters of the driver reach the daemon exactly as they were written', () => {
  expect(parseUri('esx://host/?socket=/s&auto_answer=1;note=a%20b+c&mode=auto').driverUri).toBe(
    'esx:///?auto_answer=1&note=a%20b+c',
  );
});

test.each(['test:///default?socket=%zz', 'test:///default?%ff=1', 'qemu+ssh://a%zz@host/system'])(
  'the broken escape in %s is refused as a bad argument',
  (uri) => {
    expect(() => parseUri(uri)).toThrow(TypeError);
    expect(() => parseUri(uri)).toThrow('percent escapes');
  },
);
