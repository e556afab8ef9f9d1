import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { renderPage } from '@warmvm/bench/report/html/page';
import type { BenchResult } from '@warmvm/bench/result/bench-result';
import { parseResult } from '@warmvm/bench/result/result-file';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from './support/browser.ts';

const EXAMPLE = fileURLToPath(import.meta.resolve('@warmvm/bench/fixtures/example-result.json'));
const BASELINES = fileURLToPath(new URL('../../bench/baselines', import.meta.url));
const EVIL =
  '</script><script>window.hacked = true</script><img src="https://example.com/x" onerror="window.hacked = true">';
const SCHEMES = ['light', 'dark'] as const;
const WIDTHS = [375, 1440];

let browser: Browser;
let folder: string;
let result: BenchResult;

beforeAll(async () => {
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), 'warmvm-page-'));
  result = parseResult(await readFile(EXAMPLE, 'utf8'), EXAMPLE);
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every committed raw run of the bench. Those of `npm start` are of another kind. */
function recordedRuns(): readonly (readonly [string, BenchResult])[] {
  return globSync('*.json', { cwd: BASELINES })
    .filter((file) => !file.startsWith('start-'))
    .map((file) => [file, parseResult(readFileSync(join(BASELINES, file), 'utf8'), file)]);
}

/** A page with what it complained about and what it asked the network for. */
interface Watched {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

async function open(shown: BenchResult, width: number, colorScheme: 'light' | 'dark'): Promise<Watched> {
  const file = join(folder, 'page.html');
  await writeFile(file, renderPage(shown));
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return { page, complaints, requests: requests };
}

/** Names and words as an attacker would choose them. */
function poisoned(clean: BenchResult): BenchResult {
  const [first, ...rest] = clean.suites;
  const figures = Object.entries(first!.figures).map(([name, figure]) => [name + EVIL, { ...figure, group: EVIL }]);
  const suite = {
    ...first!,
    suite: EVIL,
    what: EVIL,
    figures: Object.fromEntries(figures),
    ratios: {},
    facts: { [EVIL]: EVIL },
    caveats: [EVIL],
  };
  const verdicts = clean.verdicts.map((verdict) => ({ ...verdict, what: EVIL, stated: EVIL }));
  return { ...clean, commit: EVIL, suites: [suite, ...rest], verdicts, gate: { passed: false, reasons: [EVIL] } };
}

describe.each(WIDTHS)('the page of a result, %d pixels wide', (width) => {
  test.each(SCHEMES)('%s: fits, asks for nothing, complains of nothing', async (scheme) => {
    const { page, complaints, requests } = await open(result, width, scheme);
    const widest = await page.evaluate('document.documentElement.scrollWidth');
    expect(widest).toBe(width);
    const dots = await page.locator('path.dots').count();
    expect(dots).toBe(result.suites.flatMap(({ figures }) => Object.keys(figures)).length);
    const narrowest = 'Math.min(...[...document.querySelectorAll("svg.block")].map((plot) => plot.clientWidth))';
    expect(await page.evaluate(narrowest)).toBeGreaterThan(width === 375 ? 200 : 120);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([page.url()]);
    await page.close();
  });
});

test.each(recordedRuns())('the page of %s fits a phone, and stays small', async (_name, recorded) => {
  const { page, complaints, requests } = await open(recorded, 375, 'light');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  expect((await stat(join(folder, 'page.html'))).size).toBeLessThan(1_500_000);
  expect(complaints).toEqual([]);
  expect(requests).toEqual([page.url()]);
  await page.close();
});

test('colours follow the system, and then the button', async () => {
  const { page } = await open(result, 1440, 'light');
  const background = (): Promise<unknown> =>
    page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await background();
  expect(dark).not.toBe(light);
  const button = page.getByRole('button', { name: /Colours/ });
  await button.click();
  expect(await button.textContent()).toBe('Colours: light');
  expect(await background()).toBe(light);
  await button.click();
  expect(await background()).toBe(dark);
  await page.close();
});

test('the download is the result', async () => {
  const { page, complaints } = await open(result, 1440, 'light');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /JSON/ }).click(),
  ]);
  const file = join(folder, 'download.json');
  await download.saveAs(file);
  expect(parseResult(await readFile(file, 'utf8'), 'the download')).toEqual(result);
  expect(complaints).toEqual([]);
  await page.close();
});

test('a plot tells the share of samples up to the pointer', async () => {
  const { page } = await open(result, 1440, 'light');
  const plot = page.locator('svg.strip').first();
  await plot.scrollIntoViewIfNeeded();
  const box = (await plot.boundingBox())!;
  await page.mouse.move(box.x + box.width - 1, box.y + 5);
  const figure = Object.values(result.suites[0]!.figures)[0]!;
  await expect.poll(() => page.locator('#readout').textContent()).toMatch(`: 100 % of ${figure.samples.length}`);
  await page.mouse.move(box.x, box.y + 5);
  await expect.poll(() => page.locator('#readout').textContent()).toMatch(': 0 % of');
  await page.mouse.move(0, 0);
  expect(await page.locator('#readout').isHidden()).toBe(true);
  await page.close();
});

test('names that look like markup run nothing and load nothing', async () => {
  const { page, complaints, requests } = await open(poisoned(result), 375, 'dark');
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  expect(complaints).toEqual([]);
  expect(requests).toEqual([page.url()]);
  await page.close();
});

test('the policy of the page stops a script that got in after all', async () => {
  const { page, complaints } = await open(result, 1440, 'light');
  await page.evaluate(`
    const script = document.createElement('script');
    script.textContent = 'window.hacked = true';
    document.body.append(script);
  `);
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  expect(complaints.join()).toContain('Content Security Policy');
  await page.close();
});
