import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions, GoldenImage, GoldenSnapshot, PrepareOptions } from '@warmvm/core/driver';
import { compatibilityKey } from '../command-line/compatibility-key.ts';
import { noticesOf } from '../containment/safeguards.ts';
import { makeQemuFolder } from '../home/private-folder.ts';
import type { Home } from '../home/state-folder.ts';
import type { HostFacts } from '../host.ts';
import { collectTemplates, lockTemplate } from '../state-directory/template-cache.ts';
import { Supply } from '../supply.ts';
import type { Workshop } from '../workshop.ts';
import { requireBootable } from './golden-files.ts';
import { makeGolden, renewalOf, templatePlan } from './golden-maker.ts';
import { loadTemplate, type Template } from './template.ts';

/** Between the key and the record of a template that is not shared. */
const OWN = '-of-';
/** Boots that another process may need for a template, until we give up waiting for it. */
const LONGEST_MAKING_BOOTS = 5;
const LONGEST_IDLE_MS: number = 30 * 86_400_000;

/** A golden snapshot as this driver knows it: a record of ours, and a template that other processes may use too. */
export interface QemuGolden extends GoldenSnapshot {
  readonly home: Home;
  /** Name of the template's folder. */
  readonly name: string;
  readonly supply: Supply;
}

/**
 * Finds the template that fits the image and this computer, or makes it in a folder beside that gets its name when it is whole.
 * The record of it is ours alone.
 * @throws WARMVM_GOLDEN_INVALID, WARMVM_NOT_SUPPORTED; nothing is left then
 */
export async function obtainGolden(
  workshop: Workshop,
  image: GoldenImage,
  options: PrepareOptions,
): Promise<QemuGolden> {
  renewalOf(image);
  requireBootable(image);
  const { state } = workshop;
  const facts = await workshop.host(image.architecture, options);
  const key = keyFor(workshop, image, facts);
  // All that can be refused without a record is asked before there is one.
  const { safeguards } = await workshop.containment(options);
  const told = { ...options, ...withNotices(options.onProgress, noticesOf(safeguards)) };
  options.signal?.throwIfAborted();
  const home = await state.create({
    kind: 'golden',
    owner: options.owner,
    generation: 0,
    digest: image.digest,
    golden: null,
    process: null,
  });
  const name = workshop.options.keepGoldens ? key : `${key}${OWN}${home.id}`;
  try {
    await state.update(home, { golden: name });
    const make = (): Promise<Template> => obtainTemplate(workshop, image, { key, name, home }, facts, told);
    const template = await (workshop.options.keepGoldens ? shared(workshop, name, make, options) : make());
    options.signal?.throwIfAborted();
    workshop.templates.keep(name, template);
    const standby = { count: workshop.options.standby, owner: options.owner };
    const supply = new Supply({ workshop, template, golden: name, standby });
    supply.refill();
    return { digest: image.digest, host: facts.report.host, image, home, name, supply };
  } catch (error) {
    await workshop.takeBack(home.id, error, () => removeGolden(workshop, home, name));
    throw error;
  }
}

/** Removes a record, and the template with it where that is the record's own. */
export async function removeGolden(
  workshop: Workshop,
  home: Pick<Home, 'id' | 'directory'>,
  name: string | null,
): Promise<void> {
  if (name?.endsWith(`${OWN}${home.id}`) === true) {
    await rm(join(workshop.state.goldens, name), { recursive: true, force: true });
  }
  await workshop.state.remove(home);
}

/**
 * The template that adopted machines rest on: proved once for all of them, and kept from being collected until the driver is disposed.
 * Undefined when it is gone.
 */
export function adoptedTemplate(
  workshop: Workshop,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Template | undefined> {
  return workshop.templates.obtain(name, signal, (joined) => {
    const load = (): Promise<Template | undefined> =>
      loadTemplate(join(workshop.state.goldens, name), { signal: joined });
    return name.includes(OWN) ? load() : shared(workshop, name, load, { signal: joined });
  });
}

/** One process of this user at a time looks for a template or makes it; all others find it, and nobody collects it meanwhile. */
async function shared<Found extends Template | undefined>(
  workshop: Workshop,
  name: string,
  make: () => Promise<Found>,
  call: CallOptions,
): Promise<Found> {
  const { clock, bootTimeoutMs, maxCacheBytes } = workshop.options;
  const cache = workshop.state.goldens;
  const timeoutMs = LONGEST_MAKING_BOOTS * bootTimeoutMs;
  const lock = await lockTemplate(cache, name, { ...callOf(call), clock, timeoutMs });
  try {
    await workshop.hold(name);
    const template = await make();
    // A template is good without it, and the next one that is made tries again.
    await collectTemplates(cache, { maxBytes: maxCacheBytes, maxIdleMs: LONGEST_IDLE_MS }, { clock }).catch(() => {});
    return template;
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

async function obtainTemplate(
  workshop: Workshop,
  image: GoldenImage,
  { key, name, home }: { readonly key: string; readonly name: string; readonly home: Home },
  facts: HostFacts,
  options: PrepareOptions,
): Promise<Template> {
  const folder = join(workshop.state.goldens, name);
  const there = await loadTemplate(folder, callOf(options));
  if (there !== undefined) {
    options.onProgress?.({ step: 'reuse' });
    return there;
  }
  await rm(folder, { recursive: true, force: true });
  // In the home of the record, so that a sweep of the record finds all.
  const directory = join(home.directory, 't');
  await makeQemuFolder(directory);
  try {
    const report = (step: Parameters<NonNullable<PrepareOptions['onProgress']>>[0]['step']): void =>
      options.onProgress?.({ step });
    await makeGolden(workshop, image, facts, { key, id: home.id, directory, report, ...callOf(options) });
    await rename(directory, folder);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const made = await loadTemplate(folder, callOf(options));
  if (made === undefined) throw new Error('a golden snapshot that was just made is not whole');
  return made;
}

function keyFor(workshop: Workshop, image: GoldenImage, facts: HostFacts): string {
  return compatibilityKey(templatePlan(image, workshop.plugs.ofTemplate(image), facts), {
    qemuVersion: facts.version,
    imageDigest: imageKey(image),
    hostProcessor: facts.hostProcessor,
  });
}

/** A template's disk names the user's by its path: the same content elsewhere needs another template. */
function imageKey({ digest, boot }: GoldenImage): string {
  return boot.kind === 'disk' ? `${digest} ${boot.disk.path}` : digest;
}

function callOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

/** The first step that is told also tells what this host lacks. */
function withNotices(
  onProgress: PrepareOptions['onProgress'],
  notices: readonly string[],
): Pick<PrepareOptions, 'onProgress'> {
  if (onProgress === undefined || notices.length === 0) return {};
  let isFirst = true;
  return {
    onProgress(progress) {
      onProgress(isFirst ? { ...progress, notices } : progress);
      isFirst = false;
    },
  };
}
