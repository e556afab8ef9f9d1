import { WarmvmError } from '@warmvm/core/driver';

/** Longest piece of guest output that goes into an error. */
const EXCERPT_CHARACTERS = 200;

/** Honest answers nest six deep and hold some hundred values. */
const MAX_DEPTH = 16;
const MAX_VALUES = 20_000;

/** Turns the `return` of an answer into what is wanted. @throws Malformed */
export type Decode<T> = (value: unknown) => T;

/** An answer that is not what the protocol says. Never leaves the package: it becomes `WARMVM_HOST_PROTOCOL`. */
export class Malformed extends Error {}

/** What the agent itself said: the cause of the errors that are made of it. */
class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal';
}

/** At most 200 characters of something that the guest sent, printable ASCII only. */
export function excerpt(text: string): string {
  return text.slice(0, EXCERPT_CHARACTERS).replace(/[^\x20-\x7e]/g, '?');
}

/**
 * Reads the answer to a command.
 * @throws Malformed
 * @throws WARMVM_NOT_SUPPORTED, WARMVM_GUEST_EXEC_FAILED when the agent refused
 */
export function decodeReply<T>(command: string, text: string, decode: Decode<T>): T {
  requireSimple(text);
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch (cause) {
    throw new Malformed('the answer is not JSON', { cause });
  }
  const fields = asObject(reply, 'the answer');
  if ('error' in fields) throw refusal(command, asObject(fields.error, 'error'));
  if (!('return' in fields)) throw new Malformed('the answer has neither return nor error');
  return decode(fields.return);
}

/**
 * What JSON.parse makes of a text can take a hundred times its room. So depth and count are bounded first.
 * @throws Malformed
 */
function requireSimple(text: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at + 1);
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character !== ',') continue;
    values += 1;
    if (depth > MAX_DEPTH) throw new Malformed(`the answer nests more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw new Malformed('the answer holds too many values');
  }
}

/** Where the string ends that begins here; the end of the text when it never does. */
function endOfString(text: string, start: number): number {
  for (let at = start; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (at - backslashes > start && text[at - backslashes - 1] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function refusal(command: string, error: Record<string, unknown>): WarmvmError {
  // Some agents leave one of them out.
  const agentClass = excerpt(asText(error.class ?? 'GenericError', 'error.class'));
  const description = excerpt(asText(error.desc ?? 'no reason given', 'error.desc'));
  const details = { command, class: agentClass, description };
  const cause = new AgentRefusal(`${agentClass}: ${description}`);
  if (isMissing(agentClass, description)) {
    return new WarmvmError('WARMVM_NOT_SUPPORTED', `The guest agent does not offer ${command}: ${description}`, {
      details,
      cause,
    });
  }
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `The guest agent refused ${command}: ${description}`, {
    details,
    cause,
  });
}

function isMissing(agentClass: string, description: string): boolean {
  if (agentClass === 'CommandNotFound' || agentClass === 'CommandDisabled') return true;
  return /feature or command is not currently supported/i.test(description);
}

/** @throws Malformed */
export function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Malformed(`${name} is not an object`);
}

/** Some agents say null for an empty list. @throws Malformed */
export function asArray(value: unknown, name: string): readonly unknown[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw new Malformed(`${name} is not an array`);
}

/** @throws Malformed */
export function asText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new Malformed(`${name} is not a string`);
}

/** @throws Malformed */
export function asBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Malformed(`${name} is not a boolean`);
}

/** @throws Malformed unless `value` is an integer from 0 to `most` */
export function asCount(value: unknown, name: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most) return value as number;
  throw new Malformed(`${name} is not an integer from 0 to ${most}`);
}

/** Bytes of a base64 text; no more than the first `maxBytes` are decoded. @throws Malformed */
export function asBytes(value: unknown, name: string, maxBytes: number = Number.MAX_SAFE_INTEGER): Uint8Array {
  const text = asText(value, name);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Malformed(`${name} is not base64`);
  const bytes = Buffer.from(text.slice(0, Math.ceil(maxBytes / 3) * 4), 'base64');
  return new Uint8Array(bytes.subarray(0, maxBytes));
}
