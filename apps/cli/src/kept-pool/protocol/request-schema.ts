import { z } from 'zod';
import { ProtocolViolation, parseMessage } from './frame.ts';
import { LONGEST_MS, MOST_READ_BYTES, MOST_WRITE_BYTES } from './limits.ts';
import type { Request } from './messages.ts';

const call = z.number().int().min(1).max(0xffff_ffff);
const durationMs = z.number().min(0).max(LONGEST_MS);
/** What the kernel of a guest takes as one argument, and no more. */
const word = z.string().max(131_072);
const path = z.string().min(1).max(4_096);

const simple = z.strictObject({
  type: z.enum(['status', 'ping', 'time', 'events', 'input-ended', 'input-failed', 'cancel']),
  call,
});

const RequestSchema: z.ZodType<Request> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol: z.number(), pid: z.number().int().min(1).optional() }),
  simple,
  z.strictObject({ type: z.literal('lease'), call, timeoutMs: durationMs.optional() }),
  z.strictObject({
    type: z.literal('exec'),
    call,
    command: z.array(word).min(1).max(4_096),
    environment: z.record(z.string().min(1).max(4_096), word),
    workingDirectory: path.optional(),
    timeoutMs: durationMs.min(1).optional(),
    maxOutputBytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    hasInput: z.boolean(),
    isStreamed: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('read'),
    call,
    path,
    maxBytes: z.number().int().min(0).max(MOST_READ_BYTES).optional(),
  }),
  z.strictObject({
    type: z.literal('write'),
    call,
    path,
    append: z.boolean(),
    sizeBytes: z.number().int().min(0).max(MOST_WRITE_BYTES),
  }),
  z.strictObject({
    type: z.literal('return'),
    call,
    how: z.enum(['release', 'discard']),
    reason: z.string().max(1_000).optional(),
  }),
  z.strictObject({ type: z.literal('drain'), call, graceMs: durationMs }),
]);

/** The request in a message. @throws ProtocolViolation that says what is wrong with it */
export function parseRequest(text: string): Request {
  const parsed = RequestSchema.safeParse(parseMessage(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'a request' : `a request’s ${issue.path.join('.')}`;
  throw new ProtocolViolation(`${place}: ${issue?.message ?? 'is malformed'}`);
}
