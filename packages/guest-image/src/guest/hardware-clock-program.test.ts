import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostArchitecture } from '@warmvm/core/driver';
import { expect, onTestFinished, test } from 'vitest';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { hardwareClockProgram } from './hardware-clock-program.ts';

test.runIf(process.platform === 'linux')('the stand-in for hwclock runs, does nothing and succeeds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hardware-clock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'hwclock');
  await writeFile(path, hardwareClockProgram(ARCHITECTURES[hostArchitecture()]));
  await chmod(path, 0o755);
  const { stdout, stderr } = await promisify(execFile)(path, ['-w']);
  expect([stdout, stderr]).toEqual(['', '']);
});
