import {
  aClock,
  aFunction,
  checkedBy,
  type OptionRule,
  type OptionRules,
  oneOf,
  optionMistake,
  trueOrFalse,
  wholeNumber,
} from '@warmvm/core/driver';
import { libvirtOptionRules } from '@warmvm/driver-libvirt';
import { quoteArgument } from '../ways/remote-command.ts';
import type { LibvirtSshDriverOptions, SshAuthMethod, SshOptions, SshWay } from './options.ts';

/** Ways in the order in which they are tried. */
export const ALL_WAYS: readonly SshWay[] = ['streamlocal', 'helper', 'netcat'];
const AUTH_METHODS: readonly SshAuthMethod[] = ['publickey', 'agent', 'keyfile', 'keyboard-interactive', 'password'];
/** What `sockaddr_un` holds, without the zero at its end. */
const LONGEST_SOCKET_PATH = 107;

/** A text that is not empty; `check` knows more. */
function textThat(check: (name: string, text: string) => void = () => {}): OptionRule {
  return checkedBy(
    (name, value) => {
      if (typeof value !== 'string' || value === '') throw optionMistake(TypeError, name, value, 'a text');
      if (value.includes('\0')) throw new RangeError(`${name} holds a zero byte, expected none`);
      check(name, value);
    },
    { type: 'string', minLength: 1 },
  );
}

/** Names go to the far end or into messages; a dash at the beginning never means a host. */
const aHost = textThat((name, text) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are refused is the point
  if (/^-|[\u0000-\u0020\u007f/@]/.test(text) || text.length > 255) {
    throw optionMistake(RangeError, name, text, "a name without spaces, '/', '@' and control characters");
  }
});

/** Whatever ssh takes for one, such as `me@corp.example` and `CORP\\me`; the system there knows which of them exist. */
const aUser = textThat((name, text) => {
  if (!isUserName(text)) {
    // What stands behind a colon is the password that somebody wrote beside the name.
    const [user] = text.split(':');
    throw optionMistake(RangeError, name, user, "a user name without ':' and control characters, and no '-' first");
  }
});

/** Whether ssh takes it for a user. */
export function isUserName(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are refused is the point
  return text !== '' && text.length <= 255 && !/^-|[\u0000-\u001f\u007f:]/.test(text);
}

const anArgument = textThat((name, text) => {
  if (text.startsWith('-')) throw optionMistake(RangeError, name, text, 'no dash at the beginning');
  quoteArgument(text);
});

const aSocket = textThat((name, path) => {
  if (!path.startsWith('/') || Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    throw optionMistake(RangeError, name, path, `an absolute path of at most ${LONGEST_SOCKET_PATH} bytes`);
  }
  quoteArgument(path);
});

/** One text or a list. */
function oneOrMore(rule: OptionRule, expected: string, least = 1): OptionRule {
  return checkedBy(
    (name, value) => {
      const list = typeof value === 'string' ? [value] : value;
      if (!Array.isArray(list) || list.length < least) throw optionMistake(TypeError, name, value, expected);
      for (const one of list) rule.check(name, one);
    },
    { anyOf: [rule.schema, { type: 'array', items: rule.schema, minItems: least }] },
  );
}

function orElse(isElse: (value: unknown) => boolean, schema: object, rule: OptionRule): OptionRule {
  return checkedBy(
    (name, value) => {
      if (!isElse(value)) rule.check(name, value);
    },
    { anyOf: [schema, rule.schema] },
  );
}

const paths = oneOrMore(textThat(), 'one path or more');
const method = oneOf(...AUTH_METHODS);

/** What each option of the way to the host may be. */
export const SSH_RULES: OptionRules<SshOptions> = {
  uri: textThat(),
  host: aHost,
  port: wholeNumber(1, 65_535),
  user: aUser,
  way: oneOf('auto', ...ALL_WAYS),
  socketPath: aSocket,
  netcat: anArgument,
  keyFile: paths,
  agent: orElse((value) => value === false, { const: false }, textThat()),
  identitiesOnly: trueOrFalse,
  authMethods: checkedBy(
    (name, value) => {
      if (!Array.isArray(value)) throw optionMistake(TypeError, name, value, 'an array');
      for (const one of value) method.check(name, one);
    },
    { type: 'array', items: method.schema },
  ),
  passphrase: aFunction,
  password: aFunction,
  keyboardInteractive: aFunction,
  knownHosts: paths,
  hostKeys: oneOf('strict', 'accept-new'),
  // None at all outweighs those of the configuration.
  proxyJump: oneOrMore(textThat(), 'a host or a list of hosts', 0),
  sshConfig: orElse((value) => typeof value === 'boolean', { type: 'boolean' }, textThat()),
  connectTimeoutMs: wholeNumber(100, 600_000),
  keepaliveIntervalMs: wholeNumber(100, 600_000),
  keepaliveCount: wholeNumber(1, 100),
  maxConnections: wholeNumber(1, 64),
  clock: aClock,
};

const { uri: _uri, dial: _dial, guardian: _guardian, connectTimeoutMs: _timeout, ...farAway } = libvirtOptionRules;

/** What each option may be; `optionsSchema` makes a JSON schema of it. */
export const libvirtSshOptionRules: OptionRules<LibvirtSshDriverOptions> = {
  ...farAway,
  ...SSH_RULES,
  guardian: checkedBy(
    (name, value) => {
      if (value instanceof URL && value.protocol === 'file:') return;
      trueOrFalse.check(name, value);
    },
    { type: 'boolean' },
  ),
  guardianGiveUpMs: wholeNumber(1_000, 86_400_000),
};
