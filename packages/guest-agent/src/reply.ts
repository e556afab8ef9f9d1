import { WarmvmError } from '@warmvm/core/driver';

/** Longest piece of guest output that goes into an error. */
const EXCERPT_CHARACTERS = 200;

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

function refusal(command: string, error: Record<string, unknown>): WarmvmError {
  const agentClass = excerpt(asText(error.class, 'error.class'));
  const description = excerpt(asText(error.desc, 'error.desc'));
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

/** @throws Malformed */
export function asArray(value: unknown, name: string): readonly unknown[] {
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
