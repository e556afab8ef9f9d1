import { expect, test } from 'vitest';
import { unreachable } from './unreachable.ts';

test.each([
  ['EACCES', 'LIBVIRT_DENIED', 'group libvirt'],
  ['EPERM', 'LIBVIRT_DENIED', 'group libvirt'],
  ['ENOENT', 'LIBVIRT_UNREACHABLE', 'is libvirtd (or virtqemud) running'],
  ['ECONNREFUSED', 'LIBVIRT_UNREACHABLE', 'nobody listens'],
  ['ENOTSOCK', 'LIBVIRT_UNREACHABLE', 'is not a socket'],
  ['EMFILE', 'LIBVIRT_UNREACHABLE', 'the text of node'],
  [undefined, 'LIBVIRT_UNREACHABLE', 'the text of node'],
])('%s becomes %s and says "%s"', (systemCode, code, text) => {
  const cause = Object.assign(new Error('the text of node'), systemCode === undefined ? {} : { code: systemCode });
  const error = unreachable('/the/socket', cause);
  expect(error).toMatchObject({ code, retryable: code === 'LIBVIRT_UNREACHABLE', cause });
  expect(error.message).toContain('/the/socket');
  expect(error.message).toContain(text);
});
