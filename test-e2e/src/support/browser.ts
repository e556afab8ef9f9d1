import { type Browser, chromium } from 'playwright-core';

/** Starts the browser of this computer: none is downloaded. @throws Error saying what to install */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.WARMVM_BROWSER ?? '/usr/bin/chromium';
  if (executablePath === '') {
    throw new Error('no browser: install Chromium or Google Chrome, or name its program in WARMVM_BROWSER');
  }
  return await chromium.launch({
    executablePath,
    // The suites run as root, where Chromium has no sandbox; containers have a small /dev/shm.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
}
