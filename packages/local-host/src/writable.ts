import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Before anything is made: a report that cannot be written would cost the whole run. Makes no file.
 * @throws Error naming the option and the file
 */
export async function requireWritable(option: string, file: string): Promise<void> {
  try {
    await access(file, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return access(dirname(resolve(file)), constants.W_OK);
    });
  } catch (cause) {
    throw new Error(`${option} ${file} cannot be written; name a file in a folder that exists and is yours`, { cause });
  }
}
