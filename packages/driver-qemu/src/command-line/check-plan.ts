import { INTERFACE_NAME } from './interface-name.ts';
import type { ChannelPlan, DiskFilePlan, DiskPlan, MachinePlan } from './machine-plan.ts';
import type { NetworkPlan } from './network-plan.ts';

const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/;
/** Starts with a letter, so that it is not taken for an option; a comma would begin a property. */
const WORD = /^[A-Za-z0-9][\w.+-]{0,63}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The lowest bit of the first byte is clear: an address of one card. */
const MAC = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;
/** Bytes that a `sockaddr_un` has for a path, without the NUL: 107 on Linux, 103 on macOS. */
const SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
/** In the folder that QEMU runs in. */
const SOCKET_NAME = /^[a-z0-9-]{1,32}$/;
const MEBIBYTE = 2 ** 20;

/** @throws RangeError naming the field, its value and what was expected */
export function checkPlan(plan: MachinePlan): void {
  requireMatch('name', plan.name, NAME, 'letters, digits, "-", "_" and "."; at most 128');
  requireMatch('machineType', plan.machineType, WORD, 'a machine type without properties, such as pc');
  requireMatch('cpuModel', plan.cpuModel, WORD, 'a CPU model without properties, such as max');
  requireWhole('virtualCpus', plan.virtualCpus, 1, 255);
  requireWhole('memory.bytes', plan.memory.bytes, 16 * MEBIBYTE, 2 ** 44);
  if (plan.memory.bytes % MEBIBYTE !== 0) throw wrong('memory.bytes', plan.memory.bytes, 'whole MiB');
  if (plan.memory.file !== undefined) requirePath('memory.file.path', plan.memory.file.path);
  checkBoot(plan);
  plan.disks.forEach(checkDisk);
  checkChannel('qmp', plan.qmp);
  if (plan.starter !== undefined) checkChannel('starter', plan.starter);
  if (plan.heir !== undefined) checkChannel('heir', plan.heir);
  checkChannel('agent', plan.agent);
  if (plan.console.kind === 'inherited') checkChannel('console', plan.console);
  if (plan.console.kind === 'ring') {
    const { bytes } = plan.console;
    requireWhole('console.bytes', bytes, 1024, 16 * MEBIBYTE);
    if ((bytes & (bytes - 1)) !== 0) throw wrong('console.bytes', bytes, 'a power of 2');
  }
  checkNetwork(plan.network);
  if (plan.generationId !== undefined) {
    requireMatch('generationId', plan.generationId, UUID, 'a UUID in lower case');
    if (plan.architecture !== 'x86_64') {
      throw wrong('generationId', plan.generationId, 'none: only x86_64 has the device');
    }
  }
}

function checkBoot({ boot, architecture, disks, incoming }: MachinePlan): void {
  if (boot.kind === 'state') {
    if (!incoming) throw wrong('boot.kind', boot.kind, 'kernel or disk, since no state is loaded');
    return;
  }
  if (boot.kind === 'kernel') {
    requirePath('boot.kernelPath', boot.kernelPath);
    requirePath('boot.initrdPath', boot.initrdPath);
    requireMatch(
      'boot.commandLine',
      boot.commandLine,
      /^[\x20-\x7e]{0,2047}$/,
      'one line of printable ASCII, at most 2047',
    );
    return;
  }
  if (disks.length === 0) throw wrong('disks', '', 'at least one to boot from');
  if (boot.firmwarePath !== undefined) requirePath('boot.firmwarePath', boot.firmwarePath);
  else if (architecture === 'aarch64')
    throw wrong('boot.firmwarePath', undefined, 'a firmware image: arm64 has none of its own');
}

function checkDisk(disk: DiskPlan, index: number): void {
  requirePath(`disks[${index}].path`, disk.path);
  if (disk.fileBytes !== undefined) {
    requireWhole(`disks[${index}].fileBytes`, disk.fileBytes, 512, Number.MAX_SAFE_INTEGER);
    if (disk.fileBytes % 512 !== 0)
      throw wrong(`disks[${index}].fileBytes`, disk.fileBytes, 'whole sectors of 512 bytes');
  }
  checkBacking(`disks[${index}]`, disk);
}

function checkBacking(name: string, { format, backing }: DiskFilePlan): void {
  if (backing === undefined) return;
  requirePath(`${name}.backing.path`, backing.path);
  if (format !== 'qcow2') throw wrong(`${name}.format`, format, 'qcow2, since it has a backing file');
  checkBacking(`${name}.backing`, backing);
}

function checkChannel(name: string, plan: ChannelPlan): void {
  if (plan.kind === 'inherited') {
    requireWhole(`${name}.descriptor`, plan.descriptor, 3, 1023);
    return;
  }
  if (plan.kind === 'connect' && SOCKET_NAME.test(plan.path)) return;
  requirePath(`${name}.path`, plan.path);
  const bytes = Buffer.byteLength(plan.path);
  if (bytes > SOCKET_PATH_BYTES) {
    throw wrong(
      `${name}.path`,
      plan.path,
      `at most ${SOCKET_PATH_BYTES} bytes, the system's limit for sockets, not ${bytes}`,
    );
  }
}

function checkNetwork(plan: NetworkPlan): void {
  if (plan.kind === 'none') return;
  requireMatch('network.mac', plan.mac, MAC, 'a unicast MAC address in lower case');
  if (plan.kind === 'tap') requireMatch('network.name', plan.name, INTERFACE_NAME, 'the name of a network interface');
  if (plan.kind === 'user' && plan.firstAddress !== undefined) {
    requireMatch('network.firstAddress', plan.firstAddress, /^10\.0\.2\.\d{1,3}$/, 'an address of 10.0.2.0/24');
  }
}

/** Absolute, so that it is neither an option nor dependent on where QEMU runs, and free of what no option can carry. */
function requirePath(name: string, path: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for.
  if (typeof path !== 'string' || !/^\/[^\0-\x1f\x7f]{1,4094}$/.test(path)) {
    throw wrong(name, path, 'an absolute path without control characters');
  }
}

function requireMatch(name: string, value: string, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrong(name, value, expected);
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw wrong(name, value, `a whole number from ${least} to ${most}`);
}

function wrong(name: string, value: unknown, expected: string): RangeError {
  return new RangeError(`plan.${name} is ${JSON.stringify(value)}, expected ${expected}`);
}
