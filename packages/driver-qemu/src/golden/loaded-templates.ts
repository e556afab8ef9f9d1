import { JoinedJobs } from '@warmvm/core/driver';
import { requireUnchanged, type Template } from './template.ts';

/** Templates that this driver has loaded and proved, by the names of their folders: their files are read once. */
export class LoadedTemplates {
  readonly #loaded = new Map<string, Template>();
  readonly #loading = new JoinedJobs<Template | undefined>();

  keep(name: string, template: Template): void {
    this.#loaded.set(name, template);
  }

  /** The one that is loaded, as long as its files are the same; else what `load` finds, once for all who ask at the same time. */
  async obtain(
    name: string,
    signal: AbortSignal | undefined,
    load: (signal: AbortSignal) => Promise<Template | undefined>,
  ): Promise<Template | undefined> {
    const known = this.#loaded.get(name);
    if (known !== undefined && (await isUnchanged(known))) return known;
    this.#loaded.delete(name);
    const found = await this.#loading.join(name, signal, load);
    if (found !== undefined) this.#loaded.set(name, found);
    return found;
  }
}

async function isUnchanged(template: Template): Promise<boolean> {
  return requireUnchanged(template).then(
    () => true,
    () => false,
  );
}
