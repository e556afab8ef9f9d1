import { ConfigError } from '../config/config-error.ts';

/** The image that is always there. */
export const TINY = 'tiny';

/** Where the renewal program of an image is looked for when nothing else is said. */
export const RENEWAL_PATH = '/usr/lib/warmvm/renew';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether people mean a file: names hold no slash. */
export function isImagePath(text: string): boolean {
  return text.includes('/');
}

/** @throws ConfigError for what cannot be the name of an image of one's own */
export function requireImageName(name: string): void {
  if (!NAME.test(name)) {
    throw new ConfigError(
      `${JSON.stringify(name)} is no name of an image: expected 1 to 64 letters, digits, dots, - and _, beginning with a letter or digit`,
    );
  }
  if (name === TINY) {
    throw new ConfigError('the name tiny is taken by the image that is always there; choose another');
  }
}
