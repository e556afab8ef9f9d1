import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type Command, QEMU_STDIO, QemuProcess } from './qemu-process.ts';

const sh = (script: string): Command => ({
  command: '/bin/sh',
  arguments: ['-c', script],
  options: { stdio: [...QEMU_STDIO] },
});

describe('QemuProcess', () => {
  test('tells how it ended, and keeps the end of what it said, without what is no text', async () => {
    const process = await QemuProcess.start(sh(`head -c 9000 /dev/zero >&2; printf 'qemu: \\001 no' >&2; exit 3`));
    expect(await process.ended).toEqual({ exitCode: 3, signal: null });
    await expect.poll(() => process.said).toMatch(/\?+qemu: \? no$/);
    expect(process.said.length).toBeLessThanOrEqual(8192);
  });

  test('gives it sockets that it inherits', async () => {
    const process = await QemuProcess.start(sh('cat <&3 >&3'));
    const socket = process.socket(3);
    socket.write('hello');
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toBe('hello');
    process.kill();
    expect(await process.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  test('says which program is not there', async () => {
    const command = { ...sh(''), command: '/nonexistent/qemu' };
    await expect(QemuProcess.start(command)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { program: '/nonexistent/qemu' },
      cause: { code: 'ENOENT' },
    });
  });

  test('can be let go of', async () => {
    let child: ReturnType<typeof spawn> | undefined;
    const process = await QemuProcess.start(sh('exec sleep 600'), (command) => {
      child = spawn(command.command, [...command.arguments], command.options!);
      return child;
    });
    process.release();
    expect(process.socket(3).destroyed).toBe(true);
    expect(child?.exitCode).toBeNull();
    process.kill();
    await process.ended;
  });
});
