import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../fixtures/world.ts';
import { listKeptGoldens } from '../kept-goldens.ts';
import { LoadedTemplates } from './loaded-templates.ts';
import { loadTemplate } from './template.ts';

test('a template is read once for all who ask, and again only when its files have changed', async () => {
  await using world = await World.create();
  await world.prepared();
  const [golden] = await listKeptGoldens({ stateDirectory: world.stateDirectory });
  const templates = new LoadedTemplates();
  let reads = 0;
  const obtain = (signal?: AbortSignal): Promise<unknown> =>
    templates.obtain('name', signal, (joined) => {
      reads += 1;
      return loadTemplate(golden!.directory, { signal: joined });
    });
  const controller = new AbortController();
  const [leaver, ...others] = [obtain(controller.signal), obtain(), obtain()];
  controller.abort('enough');
  await expect(leaver).rejects.toBe('enough');
  const [template] = await Promise.all(others);
  expect(await obtain()).toBe(template);
  expect(reads).toBe(1);
  await appendFile(join(golden!.directory, 'memory'), 'x');
  expect(await obtain()).toBeUndefined();
  expect(reads).toBe(2);
});
