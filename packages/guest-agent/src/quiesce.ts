import { type CallOptions, type GoldenImage, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { LONGEST_TIMEOUT_MS } from './check.ts';
import type { GuestAgent } from './guest-agent.ts';

/** Writing what is dirty takes longer than an answer. In times of `replyTimeoutMs`: half a minute by default. */
const SYNC_FACTOR = 6;

/**
 * Brings everything that the guest has written onto its disk: a sync, then a freeze and thaw of its file systems where the agent
 * can do that. The snapshot holds memory and disk of one moment, so the freeze need not last until then.
 * @throws WARMVM_GOLDEN_INVALID when the guest cannot; a snapshot of it is refused
 */
export async function quiesceGuest(
  agent: GuestAgent,
  image: Pick<GoldenImage, 'name'>,
  options: CallOptions = {},
): Promise<void> {
  const limits = options.signal === undefined ? {} : { signal: options.signal };
  const timeoutMs = Math.min(agent.replyTimeoutMs * SYNC_FACTOR, LONGEST_TIMEOUT_MS);
  try {
    const { exitCode } = await agent.exec(['sync'], { ...limits, timeoutMs });
    if (exitCode !== 0) throw new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `sync ended with ${exitCode}`);
    try {
      await agent.fsFreeze(limits);
    } catch (error) {
      if (isWarmvmError(error, 'WARMVM_NOT_SUPPORTED')) return;
      throw error;
    } finally {
      await thaw(agent, limits);
    }
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (isWarmvmError(cause, 'WARMVM_HOST_LOST')) throw cause;
    throw new WarmvmError('WARMVM_GOLDEN_INVALID', `the guest of image ${image.name} could not be quiesced`, { cause });
  }
}

async function thaw(agent: GuestAgent, limits: CallOptions): Promise<void> {
  try {
    await agent.fsThaw(limits);
  } catch (error) {
    if (!isWarmvmError(error, 'WARMVM_NOT_SUPPORTED')) throw error;
  }
}
