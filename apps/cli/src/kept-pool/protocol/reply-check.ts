import { ProtocolViolation, parseMessage } from './frame.ts';
import type { DrainFacts, ExecFacts, LeaseFacts, PoolStatus, Reply, Welcome } from './messages.ts';

// By hand, since a client has a few milliseconds for everything: the library that the pool checks requests with takes longer to load.

type Fields = Readonly<Record<string, unknown>>;

const CHECKS: Readonly<Record<Reply['type'], (fields: Fields) => boolean>> = {
  welcome: (fields) =>
    isCount(fields.protocol) &&
    isCount(fields.pid) &&
    ['version', 'pool', 'image', 'driversDigest', 'imageDigest'].every((name) => typeof fields[name] === 'string') &&
    isTexts(fields.drivers) &&
    (fields.config === null || isStamp(fields.config)),
  result: (fields) => isCount(fields.call),
  failure: (fields) => isCount(fields.call) && isObject(fields.error),
  credit: (fields) => isCount(fields.call) && isCount(fields.sizeBytes),
  event: (fields) => isObject(fields.event) && typeof fields.event.type === 'string',
  lost: (fields) => isObject(fields.error),
  refused: (fields) => isObject(fields.error),
};

/** The reply in a message. @throws ProtocolViolation */
export function parseReply(text: string): Reply {
  const fields = parseMessage(text);
  const { type } = fields;
  if (typeof type !== 'string' || !Object.hasOwn(CHECKS, type)) {
    throw new ProtocolViolation(`an unknown reply: ${JSON.stringify(type)?.slice(0, 60)}`);
  }
  if (!CHECKS[type as Reply['type']](fields)) throw new ProtocolViolation(`a malformed reply: ${type}`);
  return fields as unknown as Reply;
}

/** @throws ProtocolViolation */
export function asLease(value: unknown): LeaseFacts {
  const isGood =
    isObject(value) &&
    typeof value.machineId === 'string' &&
    typeof value.host === 'string' &&
    [value.slot, value.turn, value.generation].every(isCount) &&
    (value.reach === null || typeof value.reach === 'string');
  if (!isGood) throw new ProtocolViolation('a malformed lease');
  return value as unknown as LeaseFacts;
}

/** @throws ProtocolViolation */
export function asExecEnd(value: unknown): ExecFacts {
  const isGood =
    isObject(value) &&
    [value.exitCode, value.signal].every((number) => number === null || Number.isInteger(number)) &&
    typeof value.stdoutTruncated === 'boolean' &&
    typeof value.stderrTruncated === 'boolean';
  if (!isGood) throw new ProtocolViolation('a malformed end of a program');
  return value as unknown as ExecFacts;
}

/** @throws ProtocolViolation */
export function asDrain(value: unknown): DrainFacts {
  const isGood =
    isObject(value) && [value.revoked, value.undestroyed].every(isCount) && asNumber(value.durationMs) >= 0;
  if (!isGood) throw new ProtocolViolation('a malformed end of a pool');
  return value as unknown as DrainFacts;
}

/** How a pool ended, of what its last event tells. @throws ProtocolViolation */
export function asClosed(report: unknown): DrainFacts {
  const isGood = isObject(report) && [report.revoked, report.undestroyed].every(Array.isArray);
  if (!isGood) throw new ProtocolViolation('a malformed end of a pool');
  const { durationMs, revoked, undestroyed } = report as { readonly [name: string]: readonly unknown[] };
  return asDrain({ durationMs, revoked: revoked?.length, undestroyed: undestroyed?.length });
}

/** @throws ProtocolViolation */
export function asStatus(value: unknown): PoolStatus {
  const isGood =
    isObject(value) &&
    value.schema === 1 &&
    [value.pool, value.version, value.image].every((text) => typeof text === 'string') &&
    [value.pid, value.connections].every(isCount) &&
    isTexts(value.drivers) &&
    (value.stats === null ||
      (isObject(value.stats) && isObject(value.stats.slots) && isObject(value.stats.counters))) &&
    Array.isArray(value.slots) &&
    value.slots.every(isSlot) &&
    isObject(value.latencies) &&
    Object.values(value.latencies).every(isLatency);
  if (!isGood) throw new ProtocolViolation('a malformed status');
  asNumber(value.uptimeMs);
  return value as unknown as PoolStatus;
}

/** @throws ProtocolViolation */
export function asNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ProtocolViolation('a number was expected');
  return value;
}

function isStamp(value: unknown): value is NonNullable<Welcome['config']> {
  return (
    isObject(value) &&
    typeof value.path === 'string' &&
    typeof value.modifiedAtMs === 'number' &&
    isCount(value.sizeBytes)
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSlot(value: unknown): boolean {
  return (
    isObject(value) &&
    [value.slot, value.turn, value.sinceMs].every((number) => typeof number === 'number') &&
    [value.host, value.state].every((text) => typeof text === 'string') &&
    (value.machineId === null || typeof value.machineId === 'string') &&
    [value.generation, value.clientPid].every((number) => number === null || isCount(number))
  );
}

function isLatency(value: unknown): boolean {
  return (
    isObject(value) &&
    [value.count, value.p50Ms, value.p99Ms, value.maxMs].every((number) => typeof number === 'number')
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
