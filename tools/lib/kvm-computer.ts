// An emulated computer whose processor has AMD's virtualisation, so that KVM works in it: slow, and functionally real.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KvmDisk } from './kvm-disk.ts';
import { type RunResult, run } from './run.ts';

const BOOT_MS = 900_000;
const TRY_SSH_EVERY_MS = 2_000;
const MEMORY_MIB = 8_192;
const KERNEL_WORDS =
  'root=/dev/vda rw console=ttyS0 mitigations=off tsc=reliable no_timer_check nowatchdog audit=0 systemd.show_status=1';

/** State and images in memory: on a disk the kernel writes a guest's memory file back all the while, and each page faults again. */
const READY = `
set -e
mkdir -p /var/lib/warmvm
mount -t tmpfs -o size=3G,huge=always,mode=755 none /var/lib/warmvm
mount -t tmpfs -o size=2G,huge=always,mode=1777 none /tmp
mount -t tmpfs -o size=2G,mode=711 none /var/lib/libvirt/images
sysctl -q vm.dirty_writeback_centisecs=6000
systemctl start libvirtd
ls -l /dev/kvm`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The computer while it runs. Dispose ends it; its disk stays as it was. */
export class KvmComputer implements AsyncDisposable {
  readonly #qemu: ChildProcess;
  readonly #folder: string;
  readonly #ssh: readonly string[];

  private constructor(qemu: ChildProcess, folder: string, ssh: readonly string[]) {
    this.#qemu = qemu;
    this.#folder = folder;
    this.#ssh = ssh;
  }

  /** Boots it, and resolves when KVM and libvirt answer in it. @throws Error with the end of its console */
  static async boot(disk: KvmDisk, say: (text: string) => void, signal: AbortSignal): Promise<KvmComputer> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-kvm-'));
    const args = [
      ...['-name', 'kvm', '-M', 'q35', '-accel', 'tcg,thread=multi,tb-size=1024', '-cpu', 'EPYC-v1,+svm', '-smp', '2'],
      ...['-m', String(MEMORY_MIB), '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-kernel', '/srv/vmlinuz', '-initrd', '/srv/initrd.img', '-append', KERNEL_WORDS],
      ...['-drive', `if=none,id=disk,file=/srv/${disk.disk},format=raw,cache=unsafe,snapshot=on`],
      ...['-device', 'virtio-blk-pci,drive=disk', '-device', 'virtio-rng-pci', '-serial', 'stdio'],
      ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ];
    const qemu = spawn('chroot', [disk.outside, 'qemu-system-x86_64', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const console: string[] = [];
    for (const stream of [qemu.stdout, qemu.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        console.push(text);
        if (console.length > 200) console.shift();
      });
    }
    const ssh = [
      ...[
        '-q',
        '-i',
        disk.key,
        '-p',
        String(port),
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
      ],
      ...['-o', 'ServerAliveInterval=30', '-o', 'ServerAliveCountMax=20', '-o', 'ConnectTimeout=30', 'root@127.0.0.1'],
    ];
    const computer = new KvmComputer(qemu, folder, ssh);
    try {
      await computer.#untilReady(say, signal);
      return computer;
    } catch (cause) {
      await computer[Symbol.asyncDispose]();
      throw new Error(
        `the computer with KVM did not become ready; its console ended with:\n${console.join('').slice(-3_000)}`,
        {
          cause,
        },
      );
    }
  }

  /** Runs words of a shell of the computer's; they are ours alone. */
  run(
    words: string,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal; onLine?(line: string): void },
  ): Promise<RunResult> {
    return run('ssh', [...this.#ssh, words], options);
  }

  /** A file of the computer's as text. @throws Error when there is none */
  async read(path: string, signal: AbortSignal): Promise<string> {
    const copy = join(this.#folder, 'copy');
    const { exitCode, output } = await run('sh', ['-c', 'exec ssh "$@" > "$0"', copy, ...this.#ssh, `cat ${path}`], {
      signal,
    });
    if (exitCode !== 0) throw new Error(`could not read ${path} of the computer with KVM: ${output}`);
    return readFile(copy, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#qemu.exitCode === null && this.#qemu.signalCode === null) {
      this.#qemu.kill('SIGKILL');
      await once(this.#qemu, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #untilReady(say: (text: string) => void, signal: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      signal.throwIfAborted();
      if (this.#qemu.exitCode !== null) throw new Error(`QEMU ended with exit code ${this.#qemu.exitCode}`);
      const { exitCode } = await this.run('true', { timeoutMs: 60_000, signal });
      if (exitCode === 0) break;
      if (performance.now() - startedMs > BOOT_MS) throw new Error(`no login after ${BOOT_MS} ms`);
      await pause(TRY_SSH_EVERY_MS, undefined, { signal });
    }
    say(`booted in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
    const { exitCode, output } = await this.run(READY, { timeoutMs: 300_000, signal });
    if (exitCode !== 0) throw new Error(`could not be made ready:\n${output}`);
    say(output.trim());
  }
}
