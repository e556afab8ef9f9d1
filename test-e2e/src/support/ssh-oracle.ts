import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createSshDialer } from '@warmvm/driver-libvirt-ssh';

/** Runs a program to its end. @throws Error with what it said; `ssh` may fail */
export function run(program: string, words: readonly string[], environment: object = {}): Promise<number> {
  return new Promise((done, fail) => {
    const child = execFile(program, words, { env: { ...process.env, ...environment } }, (error, _stdout, stderr) => {
      if (error !== null && program !== 'ssh') fail(new Error(`${program}: ${stderr}`));
      else done(child.exitCode ?? 1);
    });
    child.stdin?.end();
  });
}

export const keygen = (...words: readonly string[]): Promise<number> => run('ssh-keygen', ['-q', ...words]);

/** Whether OpenSSH's client logs in, whether the dialer does, and why not: both with the same configuration file. */
export async function bothLogIn(
  file: string,
  socketPath: string,
  lines: readonly string[],
): Promise<readonly [ssh: boolean, ours: boolean, why: unknown]> {
  const common = ['HostName 127.0.0.1', 'User root', 'GlobalKnownHostsFile none', 'BatchMode yes'];
  await writeFile(file, [...lines, ...common].map((line) => `${line}\n`).join(''));
  const exitCode = await run('ssh', ['-F', file, 'far', 'true'], { SSH_AUTH_SOCK: '' });
  const dialer = createSshDialer({ host: 'far', sshConfig: file, socketPath, way: 'streamlocal' });
  try {
    (await dialer.dial()).destroy();
    return [exitCode === 0, true, undefined];
  } catch (error) {
    return [exitCode === 0, false, error];
  } finally {
    await dialer[Symbol.asyncDispose]();
  }
}
