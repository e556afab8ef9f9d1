import { WarmvmError } from '@warmvm/core/driver';

/** What QEMU tells by itself. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One line of the monitor. */
export type QmpMessage =
  | { readonly kind: 'greeting'; readonly version: string }
  | ({ readonly kind: 'event' } & QmpEvent)
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number | undefined; readonly errorClass: string; readonly said: string };

type Fields = Readonly<Record<string, unknown>>;

/** @throws WARMVM_HOST_PROTOCOL for what is no message of the monitor */
export function readMessage(line: string): QmpMessage {
  const message = parsed(line);
  if (message === undefined) throw malformed('no JSON object', line);
  if (isFields(message.QMP)) return { kind: 'greeting', version: versionOf(message.QMP) };
  if (typeof message.event === 'string') {
    return { kind: 'event', event: message.event, data: isFields(message.data) ? message.data : {} };
  }
  const id = typeof message.id === 'number' ? message.id : undefined;
  if (isFields(message.error)) {
    const { class: errorClass, desc } = message.error;
    return { kind: 'refusal', id, errorClass: String(errorClass), said: String(desc).slice(0, 500) };
  }
  if (id === undefined || !('return' in message)) throw malformed('neither greeting, event nor answer', line);
  return { kind: 'result', id, value: message.return };
}

function parsed(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `7.2.22`, from `{"version":{"qemu":{"major":7,...}}}`. */
function versionOf(greeting: Fields): string {
  const version = isFields(greeting.version) ? greeting.version : {};
  const numbers = isFields(version.qemu) ? version.qemu : {};
  return [numbers.major, numbers.minor, numbers.micro].map((number) => Number(number ?? 0)).join('.');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string, line: string): WarmvmError {
  return new WarmvmError('WARMVM_HOST_PROTOCOL', `QEMU's monitor sent a line that is ${what}`, {
    details: { malformed: what, line: line.slice(0, 200) },
  });
}
