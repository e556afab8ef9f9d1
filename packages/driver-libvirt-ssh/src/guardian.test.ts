import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generateKey, TestServer } from './fixtures/ssh-server.ts';
import { guardianProgram } from './guardian.ts';
import type { LibvirtSshDriverOptions } from './options/options.ts';
import { parseSshOptions } from './options/parse-options.ts';

const SOCKET = '/var/run/libvirt/libvirt-sock';

function programOf(options: LibvirtSshDriverOptions): Exclude<ReturnType<typeof guardianProgram>, false> {
  const { guardian: _guardian, guardianGiveUpMs: _giveUpMs, ...way } = options;
  const program = guardianProgram(parseSshOptions(way), options);
  if (program === false) throw new Error('there is none');
  return program;
}

/** The guardian's process as the driver starts it, and its answers. */
class Started implements AsyncDisposable {
  readonly child: ChildProcess;

  constructor(options: LibvirtSshDriverOptions) {
    const { module, way, giveUpMs } = programOf(options);
    const orders = { uri: 'qemu:///system', storagePool: 'unit', storagePath: '/unit', giveUpMs, way };
    const flags = ['--conditions=@warmvm/source', '--no-warnings', fileURLToPath(module)];
    this.child = spawn(process.execPath, [...flags, JSON.stringify(orders)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
    });
  }

  async asked(line: string): Promise<string> {
    const answer = once(this.child.stdout!, 'data');
    this.child.stdin!.write(`${line}\n`);
    return String((await answer)[0]).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin!.end('farewell\n');
    await ended;
  }
}

describe('the guardian of a far host', () => {
  test('is told the way without anything secret, from whatever folder it runs in', () => {
    const options = {
      host: 'far',
      keyFile: ['~/key', 'keys/mine'],
      knownHosts: 'known',
      agent: 'socket',
      sshConfig: 'config',
      passphrase: () => 'hunter2',
      password: () => 'hunter2',
      guardianGiveUpMs: 5_000,
    };
    const { way, giveUpMs, isOptional } = programOf(options);
    const at = (path: string): string => `${process.cwd()}/${path}`;
    expect(JSON.parse(JSON.stringify(way))).toMatchObject({
      host: 'far',
      keyFiles: ['~/key', at('keys/mine')],
      knownHosts: [at('known')],
      agent: at('socket'),
      sshConfig: at('config'),
      isBatch: true,
    });
    expect(Object.keys(way as object).filter((name) => /passphrase|password|keyboard|clock/.test(name))).toEqual([]);
    expect([giveUpMs, isOptional]).toEqual([5_000, true]);
    expect(programOf({ host: 'far', guardian: true }).isOptional).toBe(false);
    expect(guardianProgram(parseSshOptions({ host: 'far' }), { guardian: false })).toBe(false);
  });

  test('logs in by itself before it takes note, and keeps that one connection', async () => {
    await using server = await TestServer.start({ sockets: [SOCKET] });
    const keyFile = relative(process.cwd(), server.keyFile);
    await using guardian = new Started({ ...server.options, keyFile });
    expect(await guardian.asked('one')).toBe('ready');
    expect(await guardian.asked('two')).toBe('ready');
    expect([server.connected, server.connections.size]).toEqual([1, 1]);
  });

  test('says what keeps it out, and takes note when that has passed', async () => {
    await using server = await TestServer.start({ sockets: [SOCKET] });
    const locked = generateKey('hunter2');
    await writeFile(server.keyFile, locked.private, { mode: 0o600 });
    await using guardian = new Started({ ...server.options, passphrase: () => 'hunter2' });
    const refusal = JSON.parse(await guardian.asked('one')) as unknown;
    expect(refusal).toMatchObject({ code: 'WARMVM_HOST_DENIED', retryable: false, problem: 'passphrase-missing' });
    await writeFile(server.keyFile, server.userKey.private, { mode: 0o600 });
    expect(await guardian.asked('one')).toBe('ready');
  });

  test('ends at a farewell, also while it waits for a host', async () => {
    await using server = await TestServer.start({ authenticate: () => {} });
    await using guardian = new Started(server.options);
    guardian.child.stdin!.write('one\n');
    await expect.poll(() => server.connected, { timeout: 20_000 }).toBe(1);
  });
});
