import { readFile } from 'node:fs/promises';

/** Who may open a tap without being root; absent: nobody by that. */
export interface TapRights {
  readonly uid?: number;
  readonly gid?: number;
}

/** Looks up the owner and the group of a tap. */
export async function tapRights(name: string, folder: string = '/sys/class/net'): Promise<TapRights> {
  const idIn = async (file: string): Promise<number | undefined> => {
    const text = await readFile(`${folder}/${name}/${file}`, 'utf8').catch(() => '');
    // -1: nobody. QEMU must not run as root.
    return /^[1-9]\d*\n?$/.test(text) ? Number(text) : undefined;
  };
  const [uid, gid] = [await idIn('owner'), await idIn('group')];
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}
