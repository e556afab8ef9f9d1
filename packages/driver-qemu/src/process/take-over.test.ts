import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hurriedClock } from '../fixtures/hurried-clock.ts';
import { sleepingProcess } from '../fixtures/sleeping-process.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { takeOver } from './take-over.ts';

const limits = { timeoutMs: 2_000, clock: hurriedClock };

interface Heir extends AsyncDisposable {
  readonly folder: string;
  readonly commands: string[];
}

/** A monitor on a socket, as QEMU keeps one for heirs. */
async function heir(status: string, refuses: string = 'none'): Promise<Heir> {
  const folder = await temporaryFolder();
  const servers: Server[] = [];
  const commands: string[] = [];
  const listen = (path: string, server: Server): Promise<void> => {
    servers.push(server);
    return new Promise((resolve) => server.listen(path, resolve));
  };
  const monitor = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${JSON.stringify({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } } } })}\n`);
    socket.on('data', async (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const {
          execute,
          id,
          arguments: fields,
        } = JSON.parse(line) as {
          execute: string;
          id: number;
          arguments: { backend?: { data: { addr: { data: { path: string } } } } };
        };
        commands.push(execute);
        const path = fields.backend?.data.addr.data.path;
        if (path !== undefined && refuses !== execute) connect(join(folder.path, path)).on('error', () => {});
        const answer = execute === 'query-status' ? { return: { status } } : { return: {} };
        const message = execute === refuses ? { error: { class: 'GenericError', desc: 'no' } } : answer;
        socket.write(`${JSON.stringify({ ...message, id })}\n`);
      }
    });
  });
  await listen(join(folder.path, 'heir'), monitor);
  return {
    folder: folder.path,
    commands,
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('takeOver', () => {
  test('asks whether it runs, moves the agent, and can end it then', async () => {
    await using scene = await heir('running');
    await using sleeper = await sleepingProcess();
    const plan = { directory: scene.folder, socket: 'heir', process: sleeper.mark };
    const { qemu, agent } = await takeOver(plan, limits);
    expect(scene.commands).toEqual(['qmp_capabilities', 'query-status', 'chardev-change']);
    expect(qemu.present).toEqual({ state: 'running', reason: 'running' });
    await qemu.kill();
    expect(sleeper.isRunning()).toBe(false);
    expect(qemu.present.state).toBe('crashed');
    agent.destroy();
  });

  test.each([
    ['paused', 'WARMVM_NOT_READY'],
    ['inmigrate', 'WARMVM_NOT_READY'],
    ['guest-panicked', 'WARMVM_MACHINE_CRASHED'],
    ['shutdown', 'WARMVM_NOT_READY'],
    ['of a new kind', 'WARMVM_NOT_READY'],
  ])('leaves alone what is %s', async (status, code) => {
    await using scene = await heir(status);
    await using sleeper = await sleepingProcess();
    const plan = { directory: scene.folder, socket: 'heir', process: sleeper.mark };
    await expect(takeOver(plan, limits)).rejects.toMatchObject({ code });
    expect(scene.commands).not.toContain('chardev-change');
    expect(sleeper.isRunning()).toBe(true);
  });

  test('gives up when QEMU refuses, and leaves it running', async () => {
    await using scene = await heir('running', 'chardev-change');
    await using sleeper = await sleepingProcess();
    const plan = { directory: scene.folder, socket: 'heir', process: sleeper.mark };
    await expect(takeOver(plan, limits)).rejects.toMatchObject({ code: 'WARMVM_NOT_READY', cause: expect.anything() });
    expect(sleeper.isRunning()).toBe(true);
  });

  test('says that it is gone where nobody listens', async () => {
    await using folder = await temporaryFolder();
    await using sleeper = await sleepingProcess();
    const plan = { directory: folder.path, socket: 'heir', process: sleeper.mark };
    await expect(takeOver(plan, limits)).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    const reason = new Error('enough');
    await expect(takeOver(plan, { ...limits, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
