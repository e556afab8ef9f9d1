import type {
  AnyAuthMethod,
  AuthenticationType,
  IdentityCallback,
  ParsedKey,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2';
import ssh2 from 'ssh2';
import { fingerprintOf } from '../known-hosts/verdict.ts';
import type { SshAuthMethod } from '../options/options.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { type SshProblem, sshError } from '../problem.ts';
import type { Hop } from './hop.ts';
import { type KeyProblem, privateKeyOf, publicKeyOf } from './key-file.ts';

/** What people, agents and files are asked for. */
export type Secrets = Pick<ParsedSshOptions, 'passphrase' | 'password' | 'keyboardInteractive'>;

const MOST_ATTEMPTS = 3;

/** For what was not even tried. */
const REMEDIES: Partial<Record<SshProblem, string>> = {
  'key-unusable': 'mend the key file, or name another as keyFile',
  'passphrase-missing': 'give the passphrase, or add the key to an ssh agent',
  'passphrase-wrong': 'give the right passphrase, or add the key to an ssh agent',
  'callback-failed': 'mend the callback',
};
/** More keys than any server lets a client try. */
const MOST_AGENT_KEYS = 64;

interface Method {
  readonly type: AuthenticationType;
  readonly attempts: AsyncIterator<AnyAuthMethod>;
}

/**
 * The attempts of one connection to prove who we are, one after the other. Keeps no secret: what is read or answered is handed on and
 * forgotten.
 */
export class Authentication {
  readonly #hop: Hop;
  readonly #secrets: Secrets;
  readonly #tried: string[] = [];
  readonly #problems: KeyProblem[] = [];
  readonly #methods: Method[];
  #offered: readonly string[] = [];
  #begun = false;

  constructor(hop: Hop, secrets: Secrets) {
    this.#hop = hop;
    this.#secrets = secrets;
    this.#methods = hop.authMethods.map((method) => this.#methodOf(method));
  }

  /** What to try next, of the methods that the server still takes; false for nothing. */
  async next(serverTakes: readonly AuthenticationType[] | null): Promise<AnyAuthMethod | false> {
    const username = this.#hop.user;
    if (!this.#begun) {
      // Asks what the server takes; servers do not count it as a failure.
      this.#begun = true;
      return { type: 'none', username };
    }
    if (serverTakes !== null) this.#offered = serverTakes;
    for (const { type, attempts } of this.#methods) {
      if (!this.#offered.includes(type)) continue;
      const { value, done } = await attempts.next();
      if (done !== true) return value;
    }
    return false;
  }

  /** Why it came to nothing. */
  failure(cause: Error): Error {
    const { user, host, port } = this.#hop;
    const [first] = this.#problems;
    const problem: SshProblem = first?.problem ?? 'authentication-refused';
    const tried = this.#tried.length === 0 ? 'nothing could be tried' : `tried ${this.#tried.join(', ')}`;
    const offered = this.#offered.join(', ') || 'nothing';
    const said = this.#problems.map(({ message: text }) => `; ${text}`).join('');
    const message = `${host} does not let ${user} in: it takes ${offered}; ${tried}${said}`;
    const remedy =
      REMEDIES[problem] ?? `add the public key to authorized_keys of ${user}, or name another user or keyFile`;
    return sshError(problem, message, { user, host, port, methods: this.#offered, tried: this.#tried, remedy }, cause);
  }

  /** The server hung up on so many attempts. */
  tooMany(cause: Error): Error {
    const { user, host, port } = this.#hop;
    const tried = this.#tried;
    const remedy = 'name the right key as keyFile and set identitiesOnly, so that the others are not offered';
    const message = `${host} hung up on ${user} after ${tried.length} attempts: ${tried.join(', ')}`;
    return sshError('too-many-attempts', message, { user, host, port, tried, remedy }, cause);
  }

  #methodOf(method: SshAuthMethod): Method {
    switch (method) {
      case 'publickey':
        return { type: 'publickey', attempts: this.#keys(true, true) };
      case 'agent':
        return { type: 'publickey', attempts: this.#keys(true, false) };
      case 'keyfile':
        return { type: 'publickey', attempts: this.#keys(false, true) };
      case 'password':
        return { type: 'password', attempts: this.#passwords() };
      case 'keyboard-interactive':
        return { type: 'keyboard-interactive', attempts: this.#answers() };
    }
  }

  /** As OpenSSH: keys of the agent that are also named as files, the agent's other keys, then files that no agent holds. */
  async *#keys(useAgent: boolean, useFiles: boolean): AsyncGenerator<AnyAuthMethod, void, undefined> {
    const { user: username, agent, identityFiles, identitiesOnly } = this.#hop;
    const held = useAgent && agent !== undefined ? await this.#agentKeys(agent) : [];
    const files = await Promise.all(
      identityFiles.map(async (file) => ({ ...file, key: await publicKeyOf(file.path) })),
    );
    const isHeld = (key: ParsedKey | undefined): boolean =>
      key !== undefined && held.some((other) => sameKey(other, key));
    const named = files.flatMap(({ key }) => (key === undefined ? [] : held.filter((other) => sameKey(other, key))));
    const others = identitiesOnly ? [] : held.filter((key) => !named.includes(key));
    for (const key of [...new Set([...named, ...others])]) {
      this.#tried.push(`agent key ${fingerprintOf(key.getPublicSSH())}`);
      yield { type: 'agent', username, agent: new OneKeyAgent(agent as string, key) };
    }
    if (!useFiles) return;
    for (const file of files.filter(({ key }) => !isHeld(key))) {
      const key = await this.#asking(() => privateKeyOf(file, this.#hop, this.#secrets));
      if (key === undefined) continue;
      if ('problem' in key) {
        this.#problems.push(key);
        continue;
      }
      this.#tried.push(`key file ${file.path}`);
      // The types do not know that a parsed key is taken as well; text would have to be decrypted a second time.
      yield { type: 'publickey', username, key: key as unknown as Buffer };
    }
  }

  async *#passwords(): AsyncGenerator<AnyAuthMethod, void, undefined> {
    const { user, host, isBatch } = this.#hop;
    const ask = this.#secrets.password;
    if (ask === undefined || isBatch) return;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const password = await this.#asking(() => ask({ user, host, attempt }));
      if (password === undefined) return;
      this.#tried.push('password');
      yield { type: 'password', username: user, password };
    }
  }

  async *#answers(): AsyncGenerator<AnyAuthMethod, void, undefined> {
    const { user, host, isBatch } = this.#hop;
    const ask = this.#secrets.keyboardInteractive;
    if (ask === undefined || isBatch) return;
    let isGivenUp = false;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && !isGivenUp; attempt += 1) {
      this.#tried.push('keyboard-interactive');
      yield {
        type: 'keyboard-interactive',
        username: user,
        prompt: (name, instructions, _language, prompts, finish) => {
          const asked = prompts.map(({ prompt, echo }) => ({ prompt, echo: echo === true }));
          void this.#asking(() => ask({ user, host, attempt, name, instructions, prompts: asked })).then((answers) => {
            isGivenUp = answers === undefined;
            finish([...(answers ?? asked.map(() => ''))]);
          });
        },
      };
    }
  }

  /** A callback that throws is no reason to try nothing else; what it threw may hold a secret and is left out. */
  async #asking<Answer>(ask: () => Answer | undefined | Promise<Answer | undefined>): Promise<Answer | undefined> {
    try {
      return await ask();
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      this.#problems.push({ problem: 'callback-failed', message: `the callback for a secret threw ${name}` });
      return undefined;
    }
  }

  async #agentKeys(socket: string): Promise<readonly ParsedKey[]> {
    return new Promise((resolve) => {
      ssh2.createAgent(socket).getIdentities((error, keys) => {
        if (error) this.#tried.push(`agent at ${socket}, which does not answer`);
        resolve(((keys ?? []) as ParsedKey[]).slice(0, MOST_AGENT_KEYS));
      });
    });
  }
}

function sameKey(one: ParsedKey, other: ParsedKey): boolean {
  return one.getPublicSSH().equals(other.getPublicSSH());
}

/** An agent that shows one of its keys only, so that keys are tried in an order of ours. */
class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #socket: string;
  readonly #key: ParsedKey;

  constructor(socket: string, key: ParsedKey) {
    super();
    this.#socket = socket;
    this.#key = key;
  }

  getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(null, [this.#key]);
  }

  sign(key: ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
    const agent = ssh2.createAgent(this.#socket);
    if (typeof options === 'function') agent.sign(key, data, options);
    else agent.sign(key, data, options, callback);
  }
}
