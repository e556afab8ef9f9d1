import type { AnyAuthMethod, AuthenticationType } from 'ssh2';
import { typeOfKey } from '../known-hosts/entry.ts';
import { fingerprintOf } from '../known-hosts/verdict.ts';
import type { SshAuthMethod } from '../options/options.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { type SshProblem, sshError } from '../problem.ts';
import { agentKeys, agentSignature } from './agent.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { Hop } from './hop.ts';
import { certificateOf, type KeyProblem, type PrivateKey, privateKeyOf, publicKeyOf } from './key-file.ts';
import { type Identity, OneIdentityAgent } from './ssh2-internals.ts';
import { signatureOf } from './wire.ts';

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
/** A server may ask without end; people answer this many questions. */
const MOST_QUESTIONS = 16;

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
  readonly #signal: AbortSignal;
  readonly #tried: string[] = [];
  readonly #problems: KeyProblem[] = [];
  readonly #methods: Method[];
  #offered: readonly string[] = [];
  #begun = false;

  /** @param signal ends what waits for an agent */
  constructor(hop: Hop, secrets: Secrets, signal: AbortSignal) {
    this.#hop = hop;
    this.#signal = signal;
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
    const missing = this.#hop.missingMethods.map((method) => `; not supported here: ${method}`).join('');
    const message = `${host} does not let ${user} in: it takes ${offered}; ${tried}${said}${missing}`;
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

  /** In the order of OpenSSH: `CertificateFile`s, what the agent holds of the named files, the agent's others, and files with their certificates. */
  async *#keys(useAgent: boolean, useFiles: boolean): AsyncGenerator<AnyAuthMethod, void, undefined> {
    for await (const { identity, label } of this.#identities(useAgent, useFiles)) {
      this.#tried.push(label);
      yield { type: 'agent', username: this.#hop.user, agent: new OneIdentityAgent(identity) };
    }
  }

  async *#identities(useAgent: boolean, useFiles: boolean): AsyncGenerator<Offered, void, undefined> {
    const { agent, identityFiles, certificateFiles, identitiesOnly } = this.#hop;
    const held = useAgent && agent !== undefined ? await this.#agentKeys(agent) : [];
    const files = await Promise.all(
      identityFiles.map(async (file) => ({
        file,
        key: await publicKeyOf(file.path),
        certificate: await certificateOf(`${file.path}-cert.pub`),
      })),
    );
    const certificates = await Promise.all(certificateFiles.map(certificateOf));
    const isHeld = (key: Buffer | undefined): boolean => key !== undefined && held.some((other) => other.equals(key));
    const offered = new Set<string>();
    const isNew = (blob: Buffer): boolean => offered.size !== offered.add(blob.toString('base64')).size;
    // Each file is opened, and its passphrase asked for, once.
    const opened = new Map<string, Promise<PrivateKey | undefined>>();
    const open = (file: Hop['identityFiles'][number]): Promise<PrivateKey | undefined> => {
      const present = opened.get(file.path) ?? this.#opened(file);
      opened.set(file.path, present);
      return present;
    };
    const withAgent = (blob: Buffer, signer: Buffer): Offered => ({
      label: `agent key ${fingerprintOf(blob)}`,
      identity: identityOf(blob, (data, algorithm) =>
        agentSignature(agent as string, signer, data, algorithm, this.#signal),
      ),
    });
    const withFile = async (
      file: Hop['identityFiles'][number],
      certificate?: Certificate,
    ): Promise<Offered | undefined> => {
      const key = await open(file);
      if (key === undefined || (certificate !== undefined && !certificate.plainKey.equals(key.blob))) return undefined;
      const identity = identityOf(certificate?.blob ?? key.blob, async (data, algorithm) =>
        signatureOf(algorithm, key.key, data),
      );
      return { identity, label: certificate === undefined ? `key file ${file.path}` : `certificate of ${file.path}` };
    };
    for (const certificate of certificates) {
      if (certificate === undefined || !isNew(certificate.blob)) continue;
      if (isHeld(certificate.plainKey)) yield withAgent(certificate.blob, certificate.plainKey);
      const owner = useFiles ? files.find(({ key }) => key?.equals(certificate.plainKey)) : undefined;
      const found =
        isHeld(certificate.plainKey) || owner === undefined ? undefined : await withFile(owner.file, certificate);
      if (found !== undefined) yield found;
    }
    const named = [
      ...files.flatMap(({ key, certificate }) => [key, certificate?.blob]),
      ...certificates.map((one) => one?.blob),
    ];
    const isNamed = (blob: Buffer): boolean => named.some((other) => other?.equals(blob));
    const others = identitiesOnly ? [] : held.filter((blob) => !isNamed(blob));
    for (const blob of [...named.flatMap((one) => (one !== undefined && isHeld(one) ? [one] : [])), ...others]) {
      if (isNew(blob)) yield withAgent(blob, blob);
    }
    for (const { file, key, certificate } of files) {
      if (useFiles && (key === undefined || isNew(key))) {
        const found = await withFile(file);
        if (found !== undefined) yield found;
      }
      if (certificate === undefined || !isNew(certificate.blob)) continue;
      if (isHeld(certificate.plainKey)) yield withAgent(certificate.blob, certificate.plainKey);
      else if (useFiles) {
        const found = await withFile(file, certificate);
        if (found !== undefined) yield found;
      }
    }
  }

  async #opened(file: Hop['identityFiles'][number]): Promise<PrivateKey | undefined> {
    const key = await this.#asking(() => privateKeyOf(file, this.#hop, this.#secrets));
    if (key === undefined || 'blob' in key) return key;
    this.#problems.push(key);
    return undefined;
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
    let questions = 0;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && !isGivenUp; attempt += 1) {
      this.#tried.push('keyboard-interactive');
      yield {
        type: 'keyboard-interactive',
        username: user,
        prompt: (name, instructions, _language, prompts, finish) => {
          questions += 1;
          if (questions > MOST_QUESTIONS) return finish(prompts.map(() => ''));
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

  async #agentKeys(socket: string): Promise<readonly Buffer[]> {
    try {
      return await agentKeys(socket, this.#signal);
    } catch {
      this.#tried.push(`agent at ${socket}, which does not answer`);
      return [];
    }
  }
}

/** A key or certificate, and what to call it in messages. */
interface Offered {
  readonly identity: Identity;
  readonly label: string;
}

function identityOf(blob: Buffer, sign: Identity['sign']): Identity {
  const type = typeOfKey(blob) ?? '';
  const keyType = parseCertificate(blob)?.keyType ?? type;
  return { blob, type, sign, signatureAlgorithm: keyType === 'ssh-rsa' ? 'rsa-sha2-512' : keyType };
}
