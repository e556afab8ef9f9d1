import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { type ErrorCode, WarmvmError } from './error.ts';
import { fromSystemError, systemFault } from './system-error.ts';
import type { SystemFaultReason } from './system-faults.ts';

type Row = readonly [
  facts: Readonly<Record<string, unknown>>,
  reason: SystemFaultReason,
  code: ErrorCode,
  retryable: boolean,
  remedy: RegExp,
];

const OPERATION = 'WARMVM_HOST_OPERATION';
const DENIED = 'WARMVM_HOST_DENIED';
const UNREACHABLE = 'WARMVM_HOST_UNREACHABLE';

const CAUSES: readonly Row[] = [
  [{ code: 'ENOSPC', syscall: 'write', path: '/var/x' }, 'disk-full', OPERATION, true, /Free space/],
  [{ code: 'EDQUOT', syscall: 'write' }, 'quota-exceeded', OPERATION, true, /quota/],
  [{ code: 'EFBIG', syscall: 'write' }, 'file-too-large', OPERATION, false, /ulimit -f/],
  [{ code: 'EACCES', syscall: 'open', path: '/var/x' }, 'permission-denied', DENIED, false, /owns the path/],
  [{ code: 'EACCES', syscall: 'connect', address: '/run/x' }, 'permission-denied', DENIED, false, /owns the path/],
  [{ code: 'EPERM', syscall: 'open' }, 'permission-denied', DENIED, false, /owns the path/],
  [{ code: 'EPERM', syscall: 'chown' }, 'missing-capability', DENIED, false, /CAP_CHOWN/],
  [{ code: 'EPERM', syscall: 'kill' }, 'missing-capability', DENIED, false, /--cap-add KILL/],
  [{ code: 'EPERM', syscall: 'setuid' }, 'missing-capability', DENIED, false, /CAP_SETUID/],
  [{ code: 'EPERM', syscall: 'mount' }, 'missing-capability', DENIED, false, /CAP_SYS_ADMIN/],
  [{ code: 'ERR_ACCESS_DENIED', resource: '/x' }, 'node-permission', DENIED, false, /--allow-fs-read/],
  [{ code: 'EROFS', syscall: 'mkdir' }, 'read-only-file-system', OPERATION, false, /can be written/],
  [{ code: 'EMFILE', syscall: 'open' }, 'too-many-open-files', OPERATION, true, /ulimit -n/],
  [{ code: 'ENFILE', syscall: 'socket' }, 'too-many-open-files', OPERATION, true, /LimitNOFILE/],
  [{ code: 'EAGAIN', syscall: 'spawn qemu' }, 'too-many-processes', OPERATION, true, /ulimit -u/],
  [{ code: 'EAGAIN', syscall: 'fork' }, 'too-many-processes', OPERATION, true, /pids.max/],
  [{ code: 'EAGAIN', syscall: 'connect' }, 'busy', OPERATION, true, /Try again/],
  [{ code: 'EAGAIN', syscall: 'read' }, 'busy', OPERATION, true, /Try again/],
  [{ code: 'ENOMEM', syscall: 'mmap' }, 'out-of-memory', OPERATION, true, /Free memory/],
  [{ signal: 'SIGKILL', killed: false, code: null }, 'killed-by-signal', OPERATION, true, /out-of-memory killer/],
  [{ signal: 'SIGSYS', code: null }, 'killed-by-signal', OPERATION, true, /seccomp/],
  [{ signal: 'SIGBUS', code: null }, 'killed-by-signal', OPERATION, true, /free space/],
  [{ signal: 'SIGSEGV', code: null }, 'killed-by-signal', OPERATION, true, /wrote last/],
  [
    { code: 'ERR_SYSTEM_ERROR', info: { code: 'ENOENT', syscall: 'uv_os_get_passwd' } },
    'no-user-entry',
    OPERATION,
    false,
    /\/etc\/passwd/,
  ],
  [{ code: 'ENOENT', syscall: 'uv_os_get_passwd' }, 'no-user-entry', OPERATION, false, /\/etc\/passwd/],
  [{ code: 'ENOENT', syscall: 'spawn qemu', path: 'qemu' }, 'missing-program', OPERATION, false, /Install/],
  [{ code: 'ENOEXEC', syscall: 'spawn qemu' }, 'not-executable', OPERATION, false, /architecture/],
  [{ code: 'EACCES', syscall: 'spawn qemu' }, 'permission-denied', DENIED, false, /modes/],
  [{ code: 'ENOENT', syscall: 'open', path: '/x' }, 'missing-file', OPERATION, false, /Check the path/],
  [{ code: 'ENOENT', syscall: 'connect', address: '/run/x' }, 'connection-refused', UNREACHABLE, true, /daemon/],
  [{ code: 'EEXIST', syscall: 'mkdir' }, 'file-exists', OPERATION, false, /another name/],
  [{ code: 'ENOTEMPTY', syscall: 'rmdir' }, 'file-exists', OPERATION, false, /another name/],
  [{ code: 'ENOTDIR', syscall: 'open' }, 'not-a-folder', OPERATION, false, /Check the path/],
  [{ code: 'EISDIR', syscall: 'read' }, 'not-a-folder', OPERATION, false, /Check the path/],
  [{ code: 'ENAMETOOLONG', syscall: 'open' }, 'path-too-long', OPERATION, false, /shorter/],
  [{ code: 'ELOOP', syscall: 'open' }, 'too-many-links', OPERATION, false, /symbolic links/],
  [{ code: 'EXDEV', syscall: 'rename' }, 'other-file-system', OPERATION, false, /same file system/],
  [{ code: 'EBUSY', syscall: 'rmdir' }, 'busy', OPERATION, true, /lsof/],
  [{ code: 'ETXTBSY', syscall: 'open' }, 'busy', OPERATION, true, /lsof/],
  [{ code: 'EIO', syscall: 'read' }, 'device-fault', OPERATION, false, /dmesg/],
  [{ code: 'ENODEV', syscall: 'open', path: '/dev/kvm' }, 'missing-device', OPERATION, false, /kernel module/],
  [{ code: 'ENXIO', syscall: 'open' }, 'missing-device', OPERATION, false, /kernel module/],
  [{ code: 'ENOSYS', syscall: 'copyfile' }, 'not-supported', 'WARMVM_NOT_SUPPORTED', false, /kernel/],
  [{ code: 'ENOTSUP', syscall: 'copyfile' }, 'not-supported', 'WARMVM_NOT_SUPPORTED', false, /file system/],
  [{ code: 'EINVAL', syscall: 'connect' }, 'invalid-argument', OPERATION, false, /paths longer/],
  [{ code: 'ECONNREFUSED', syscall: 'connect' }, 'connection-refused', UNREACHABLE, true, /daemon runs/],
  [{ code: 'ECONNRESET', syscall: 'read' }, 'connection-broken', UNREACHABLE, true, /log of the daemon/],
  [{ code: 'EPIPE', syscall: 'write' }, 'connection-broken', UNREACHABLE, true, /log of the daemon/],
  [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'timed-out', UNREACHABLE, true, /firewall/],
  [{ code: 'EHOSTUNREACH', syscall: 'connect' }, 'unreachable', UNREACHABLE, true, /network/],
  [{ code: 'ENETUNREACH', syscall: 'connect' }, 'unreachable', UNREACHABLE, true, /network/],
  [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, 'unknown-name', UNREACHABLE, true, /spelling/],
  [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }, 'unknown-name', UNREACHABLE, true, /resolution/],
  [{ code: 'EADDRINUSE', syscall: 'listen' }, 'address-in-use', OPERATION, false, /another address/],
];

test.for(CAUSES)('%j is %s', ([facts, reason, code, retryable, remedy], { expect }) => {
  const cause = Object.assign(new Error('as the system says it'), facts);
  const error = fromSystemError(cause, 'The golden snapshot could not be written');
  expect(error).toMatchObject({ code, retryable, cause, details: { reason, systemCode: expect.any(String) } });
  expect(error.details.remedy).toMatch(remedy);
  expect(error.message).toMatch(/^The golden snapshot could not be written: .+\. /);
  expect(error.message).toContain(String(error.details.remedy));
});

test('an operation that has a code of its own keeps it, and adds its facts', () => {
  const cause = Object.assign(new Error('x'), { code: 'ENOSPC', path: '/var/x' });
  const error = fromSystemError(cause, 'Fork', { code: 'WARMVM_FORK_FAILED', details: { machineId: 'm' } });
  expect(error).toMatchObject({
    code: 'WARMVM_FORK_FAILED',
    retryable: true,
    details: { machineId: 'm', reason: 'disk-full', systemCode: 'ENOSPC', path: '/var/x' },
  });
});

test('a WarmvmError comes back as it is', () => {
  const error = new WarmvmError('WARMVM_MACHINE_GONE', 'gone');
  expect(fromSystemError(error, 'x')).toBe(error);
});

test('an error that is not known keeps its words, and is not retryable', () => {
  const cause = new Error('out of cheese');
  const error = fromSystemError(cause, 'Fork');
  expect(error).toMatchObject({ retryable: false, cause, details: { reason: 'unknown' } });
  expect(error.message).toBe('Fork: out of cheese');
  expect(fromSystemError('a text', 'Fork').message).toBe('Fork: a text');
});

test('the fault is found below other errors, also in those of this module, and a circle ends', () => {
  const cause = Object.assign(new Error('x'), { code: 'EMFILE' });
  const wrapped = new Error('above', { cause: fromSystemError(cause, 'Open') });
  expect(systemFault(wrapped)).toMatchObject({ reason: 'too-many-open-files', retryable: true });
  const circle: Error & { cause?: unknown } = new Error('round');
  circle.cause = circle;
  expect(systemFault(circle)).toBeUndefined();
  expect(systemFault(undefined)).toBeUndefined();
});

test('a word that every object has is not a code of an error', () => {
  expect(systemFault(Object.assign(new Error('x'), { code: 'constructor' }))).toBeUndefined();
});

test('real errors of Node are read', async () => {
  const missing = await readFile('/nonexistent/file').catch((error: unknown) => error);
  expect(systemFault(missing)).toMatchObject({ reason: 'missing-file', path: '/nonexistent/file' });
  const program = await new Promise((resolve) => {
    execFile('/nonexistent/program', (error) => resolve(error));
  });
  expect(systemFault(program)).toMatchObject({ reason: 'missing-program' });
  const killed = await new Promise((resolve) => {
    execFile(process.execPath, ['-e', 'process.kill(process.pid, "SIGKILL")'], (error) => resolve(error));
  });
  expect(systemFault(killed)).toMatchObject({ reason: 'killed-by-signal', systemCode: 'SIGKILL' });
  const refused = await new Promise((resolve) => {
    createConnection('/nonexistent/socket').once('error', resolve);
  });
  expect(systemFault(refused)).toMatchObject({ reason: 'connection-refused' });
});
