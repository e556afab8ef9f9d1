import { types } from 'node:util';
import { isWarmvmError } from '../driver/error.ts';
import type { EventSink } from './event-hub.ts';
import type { PoolEvent } from './pool-event.ts';

/** Writes one line: fields first, as pino, Fastify and bunyan have it; `console` does too. */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Where a pool writes what people should know. A pino logger fits as it is. */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
}

/** Causes and lists deeper than this are left out. */
const MAX_DEPTH = 6;

function levelOf(event: PoolEvent): keyof Logger {
  switch (event.type) {
    case 'host-down':
    case 'quarantined':
      return 'error';
    case 'creation-failed':
    case 'lease-abandoned':
    case 'machine-lost':
    case 'sweep-failed':
      return 'warn';
    case 'breaker-changed':
      return event.to === 'open' ? 'error' : 'info';
    case 'phase-ended':
      return event.error === undefined ? 'debug' : 'warn';
    case 'host-up':
    case 'host-draining':
    case 'host-drained':
    case 'host-undrained':
    case 'swept':
    case 'resized':
    case 'suspended':
    case 'resumed':
    case 'closing':
    case 'closed':
      return 'info';
    default:
      return 'debug';
  }
}

/**
 * What may be logged of an error. Not its other properties: what libraries hang there holds whole environments, requests
 * and passwords. Of our own errors the place in the code says nothing that the code does not.
 */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(isWarmvmError(error)
      ? { retryable: error.retryable, details: plain(error.details, depth + 1) }
      : { ...(stack === undefined ? {} : { stack }) }),
    ...(cause === undefined ? {} : { cause: plain(cause, depth + 1) }),
  };
}

function plain(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (types.isNativeError(value) || isWarmvmError(value)) return plainError(value, depth);
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return Object.prototype.toString.call(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]));
}

/** Writes every event to the logger, each at the level it deserves, as plain data. */
export function logSink(logger: Logger): EventSink {
  return (event) => {
    const { type, ...fields } = event;
    const line = { event: type, ...(plain(fields) as Record<string, unknown>) };
    logger[levelOf(event)](line, `pool ${event.pool}: ${type}`);
  };
}
