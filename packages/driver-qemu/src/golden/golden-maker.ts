import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CallOptions,
  type ErrorCode,
  type GoldenImage,
  isWarmvmError,
  type PrepareProgress,
  WarmvmError,
} from '@warmvm/core/driver';
import { type GuestAgent, identityFor, quiesceGuest, renewGuest } from '@warmvm/guest-agent';
import { referToFile } from '@warmvm/guest-image';
import { type AgentLink, agentLink } from '../agent-link.ts';
import { wrongClockRate } from '../clock-rate.ts';
import { defaultMachineType, type MachinePlan } from '../command-line/machine-plan.ts';
import type { NetworkPlan } from '../command-line/network-plan.ts';
import type { HostFacts } from '../host.ts';
import { type CardFacts, findCard, setLink } from '../network/card.ts';
import { consoleTail, withConsole } from '../process/console-tail.ts';
import { saveState } from '../process/device-state.ts';
import type { Qemu } from '../process/qemu.ts';
import { CONSOLE_DESCRIPTOR } from '../process/qemu-process.ts';
import type { Workshop } from '../workshop.ts';
import {
  bootFiles,
  bootOf,
  closeFiles,
  diskFormatOf,
  makeDisk,
  makeMemory,
  seedOf,
  templateFileBytes,
} from './golden-files.ts';
import { type FileFacts, GOLDEN_FILES, type GoldenFileName, type GoldenManifest, MANIFEST_NAME } from './manifest.ts';
import { fileOf } from './template.ts';

/** What a golden snapshot is made with. */
export interface MakeOptions extends CallOptions {
  readonly key: string;
  /** Of the record that it is made for: names the QEMU. */
  readonly id: string;
  /** Empty folder, which becomes the golden snapshot. */
  readonly directory: string;
  readonly report: (step: PrepareProgress['step']) => void;
}

/** Boots whose clock runs at the wrong rate before the image is given up. */
const BOOT_ATTEMPTS = 4;

/** The template's machine, without its paths and channels: what the key is made of. */
export function templatePlan(image: GoldenImage, network: NetworkPlan, facts: HostFacts): MachinePlan {
  const { acceleration, cpuModel, sandbox } = facts;
  return {
    name: 'template',
    architecture: image.architecture,
    acceleration,
    machineType: defaultMachineType(image.architecture),
    cpuModel,
    virtualCpus: image.virtualCpus,
    memory: { bytes: image.memoryBytes },
    boot: bootOf(image),
    disks: [{ path: '/disk', format: diskFormatOf(image) }, ...seedOf(image)],
    qmp: { kind: 'inherited', descriptor: 3 },
    agent: { kind: 'inherited', descriptor: 4 },
    console: { kind: 'none' },
    network,
    ...(image.architecture === 'x86_64' ? { generationId: randomUUID() } : {}),
    incoming: false,
    sandbox,
  };
}

/**
 * Makes a golden snapshot in a folder: boots the image, has it prove that it can be renewed, quiesces it, saves its devices, and
 * ends it. The memory is the file that the guest ran on.
 * @throws WARMVM_GOLDEN_INVALID; whoever gave the folder removes it then
 */
export async function makeGolden(
  workshop: Workshop,
  image: GoldenImage,
  facts: HostFacts,
  options: MakeOptions,
): Promise<void> {
  try {
    for (let attempt = 1; ; attempt += 1) {
      const rate = await attemptGolden(workshop, image, facts, options);
      if (rate === undefined) return;
      if (attempt === BOOT_ATTEMPTS) throw runawayClock(image, rate);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw invalidIfGuestFault(error, image);
  }
}

/** The rate of a guest's clock that runs wrong: the boot is to be tried again. */
async function attemptGolden(
  workshop: Workshop,
  image: GoldenImage,
  facts: HostFacts,
  options: MakeOptions,
): Promise<number | undefined> {
  const { directory, report } = options;
  const { bootTimeoutMs, clock } = workshop.options;
  const limits = workshop.startLimits(options);
  const disk = await makeDisk(image, fileOf(directory, 'disk'));
  await makeMemory(image, fileOf(directory, 'memory'));
  const plan: MachinePlan = {
    ...templatePlan(image, workshop.plugs.ofTemplate(image), facts),
    name: options.id,
    memory: { bytes: image.memoryBytes, file: { path: fileOf(directory, 'memory'), share: true } },
    boot: await bootFiles(image, directory),
    console: { kind: 'inherited', descriptor: CONSOLE_DESCRIPTOR },
    disks: [disk, ...seedOf(image)],
  };
  report('boot');
  const place = { directory, maxFileBytes: templateFileBytes(image) };
  const { qemu, agent, console } = await workshop.start(plan, place, options);
  const said = consoleTail(console);
  const link = agentLink(agent, workshop.options);
  try {
    await qemu.execute('qmp_capabilities', limits);
    report('agent');
    await firstAnswer(qemu, link, image, bootTimeoutMs, options);
    report('warm-up');
    const rate = await wrongClockRate(link.agent, clock, options);
    if (rate !== undefined) return rate;
    const generationId = randomUUID();
    await renew(workshop, link, image, generationId, options);
    const card = await prepareCard(workshop, { qemu, agent: link.agent }, plan.network, options);
    report('quiesce');
    await quiesceGuest(link.agent, image, options);
    report('snapshot');
    const state = await saveState(qemu, directory, limits);
    await qemu.kill();
    await writeFile(fileOf(directory, 'state'), state, { mode: 0o600 });
    await seal(directory, { image, key: options.key, generationId, plan, card }, options);
    return undefined;
  } catch (error) {
    throw withConsole(error, said());
  } finally {
    await qemu.kill();
    await link[Symbol.asyncDispose]();
  }
}

/** A guest that never answers is an image that is no good; the end of its QEMU is told for what it is. */
async function firstAnswer(
  qemu: Qemu,
  link: AgentLink,
  image: GoldenImage,
  timeoutMs: number,
  options: CallOptions,
): Promise<void> {
  const answered = link.firstAnswer(timeoutMs, options);
  const over = qemu.process.ended.then((end) => {
    throw qemu.crashed(end);
  });
  try {
    await Promise.race([answered, over]);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (isWarmvmError(cause, 'WARMVM_MACHINE_CRASHED')) throw cause;
    throw new WarmvmError(
      'WARMVM_GOLDEN_INVALID',
      `the guest agent of image ${image.name} did not answer within ${timeoutMs} ms of the start. If the guest is merely slow, raise options.bootTimeoutMs`,
      {
        cause,
        details: {
          image: image.name,
          timeoutMs,
          option: 'options.bootTimeoutMs',
          expected: 'qemu-guest-agent on port org.qemu.guest_agent.0',
        },
      },
    );
  } finally {
    answered.catch(() => {});
    over.catch(() => {});
  }
}

async function renew(
  workshop: Workshop,
  { agent }: AgentLink,
  image: GoldenImage,
  generationId: string,
  { signal }: CallOptions,
): Promise<void> {
  const { agentTimeoutMs, clockToleranceMs, clock } = workshop.options;
  await renewGuest(agent, {
    command: renewalOf(image),
    generationId,
    ...identityFor('golden'),
    toleranceMs: clockToleranceMs,
    timeoutMs: agentTimeoutMs,
    timeoutOption: 'options.agentTimeoutMs',
    clock,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Forks of a network that others are on begin with the cable pulled: nobody hears them before they are renewed. */
async function prepareCard(
  workshop: Workshop,
  { qemu, agent }: { readonly qemu: Qemu; readonly agent: GuestAgent },
  network: NetworkPlan,
  options: CallOptions,
): Promise<CardFacts | undefined> {
  if (network.kind === 'none') return undefined;
  const limits = workshop.agentLimits(options);
  const card = await findCard(agent, network.mac, { ...limits, clock: workshop.options.clock });
  if (network.kind === 'unplugged') await setLink(qemu, false, limits);
  return card;
}

interface Making {
  readonly image: GoldenImage;
  readonly key: string;
  readonly generationId: string;
  readonly plan: MachinePlan;
  readonly card: CardFacts | undefined;
}

/** Writes down what the files hold. Nobody writes to them from now on. */
async function seal(directory: string, making: Making, options: CallOptions): Promise<void> {
  const files: Partial<Record<GoldenFileName, FileFacts>> = {};
  await closeFiles(directory);
  for (const name of GOLDEN_FILES) {
    const { digest, sizeBytes } = await referToFile(fileOf(directory, name), options);
    files[name] = { digest, sizeBytes };
  }
  const { image, key, generationId, plan, card } = making;
  const manifest: GoldenManifest = {
    format: 2,
    key,
    digest: image.digest,
    generationId,
    renewal: renewalOf(image),
    plan: { ...plan, console: { kind: 'none' } },
    ...(card === undefined ? {} : { card }),
    diskFormat: diskFormatOf(image),
    diskBytes: image.boot.diskBytes,
    files: files as GoldenManifest['files'],
  };
  await writeFile(join(directory, MANIFEST_NAME), JSON.stringify(manifest), { mode: 0o400 });
}

/** The renewal program of an image that can be made. @throws WARMVM_GOLDEN_INVALID */
export function renewalOf(image: GoldenImage): string {
  if (image.renewal !== undefined) return image.renewal.command;
  throw new WarmvmError('WARMVM_GOLDEN_INVALID', `image ${image.name} names no renewal program`, {
    details: {
      image: image.name,
      expected: 'GoldenImage.renewal: forks of one memory must not share identity and entropy',
    },
  });
}

function runawayClock(image: GoldenImage, rate: number): WarmvmError {
  const times = rate.toFixed(2);
  return new WarmvmError(
    'WARMVM_GOLDEN_INVALID',
    `the clock of image ${image.name} ran ${times} times as fast as ours after each of ${BOOT_ATTEMPTS} boots`,
    {
      retryable: true,
      details: { image: image.name, rate, boots: BOOT_ATTEMPTS, remedy: 'prepare on a calmer computer' },
    },
  );
}

const GUEST_FAULTS: readonly ErrorCode[] = [
  'WARMVM_NOT_READY',
  'WARMVM_MACHINE_CRASHED',
  'WARMVM_GUEST_UNRESPONSIVE',
  'WARMVM_GUEST_EXEC_FAILED',
];

/** A guest that does not do what a golden snapshot needs is a fault of the image. */
function invalidIfGuestFault(cause: unknown, image: GoldenImage): unknown {
  if (!GUEST_FAULTS.some((code) => isWarmvmError(cause, code))) return cause;
  const { message, details } = cause as WarmvmError;
  return new WarmvmError('WARMVM_GOLDEN_INVALID', `image ${image.name} makes no golden snapshot: ${message}`, {
    cause,
    details: { ...details, image: image.name },
  });
}
