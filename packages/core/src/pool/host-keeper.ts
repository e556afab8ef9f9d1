import { guardedCall } from '../call/guarded-call.ts';
import { Alarm } from '../deadline/alarm.ts';
import { isWarmvmError, type WarmvmError } from '../driver/error.ts';
import { removeOrphans } from './orphans.ts';
import type { PoolCore } from './pool-core.ts';
import { mutedError, silentError } from './pool-errors.ts';
import type { PoolHost } from './pool-host.ts';
import type { SlotAdopter } from './slot-adopter.ts';
import type { SlotDestroyer } from './slot-destroyer.ts';
import type { SlotMaker } from './slot-maker.ts';
import { sweep } from './sweep.ts';

/** How long the first creation waits for what is left there to be gone: more than a healthy host needs. */
const PATIENCE_MS = 10_000;

/** What a {@link HostKeeper} works with. */
export interface HostKeeperParts {
  readonly adopter: SlotAdopter;
  readonly destroyer: SlotDestroyer;
  readonly maker: SlotMaker;
  /** Told that a host which was down answers. */
  readonly onReturned: (host: PoolHost) => void;
}

/**
 * Looks after one host. Before the first creation, and after each return, what was left there is adopted or removed. While it is
 * up, heartbeats find out when it goes silent; while it is down, pings under the backoff of creation find out when it is back.
 */
export class HostKeeper {
  readonly host: PoolHost;
  readonly #core: PoolCore;
  readonly #parts: HostKeeperParts;
  readonly #patience: Alarm;
  readonly #heart: Alarm;
  #goldensSwept: boolean;
  #isAsking = false;

  constructor(core: PoolCore, host: PoolHost, parts: HostKeeperParts) {
    this.host = host;
    this.#core = core;
    this.#parts = parts;
    this.#goldensSwept = !core.options.sweep;
    this.#patience = new Alarm(core.deadlines, () => this.#open());
    this.#heart = new Alarm(core.deadlines, () => this.#beat());
  }

  /** The host is there: sweeps it, then opens it for creation. Never rejects; a sweep that takes too long goes on behind. */
  begin(): void {
    const { host } = this;
    const { epoch } = host.health;
    this.#scheduleBeat();
    if (!this.#core.options.sweep && epoch === 0) {
      this.#open();
      return;
    }
    this.#patience.set(this.#core.now() + PATIENCE_MS);
    const done = (): void => {
      if (host.health.epoch === epoch && host.health.state !== 'down') this.#open();
    };
    sweep(this.#core, 'machine', host, this.#parts.adopter).then(done, done);
  }

  /** The pool's own golden snapshot is there: those of the dead may go, once. */
  goldenPrepared(): void {
    if (this.#goldensSwept) return;
    this.#goldensSwept = true;
    sweep(this.#core, 'golden', this.host, this.#parts.adopter).catch(() => {});
  }

  /** The host is down: nothing here goes on until it is back. */
  lost(): void {
    this.#patience.cancel();
    this.#heart.cancel();
  }

  /** Asks a host that is down whether it is back, unless that is under way or the backoff holds it off. */
  probe(): void {
    const { host } = this;
    if (this.#isAsking) return;
    const approval = this.#parts.maker.approve(host);
    if (approval === undefined) return;
    this.#isAsking = true;
    this.#ping(this.#silence())
      .then(
        () => {
          // Only a machine proves that creation works; the ping proves that it may be tried.
          host.gate.abandoned(approval);
          if (!this.#core.closing) this.#returned();
        },
        (error: unknown) => this.#parts.maker.refused(host, approval, error),
      )
      .finally(() => {
        this.#isAsking = false;
        this.#core.pump();
      })
      .catch(() => {});
  }

  #returned(): void {
    const { host } = this;
    this.#parts.onReturned(host);
    // What could not be destroyed while it was down is tried again now, not when its growing wait is over.
    this.#parts.destroyer.retryAll(host);
    this.begin();
  }

  #open(): void {
    this.#patience.cancel();
    this.host.isOpen = true;
    this.#core.pump();
  }

  #scheduleBeat(): void {
    const { everyMs } = this.#core.options.heartbeat;
    if (everyMs !== Number.POSITIVE_INFINITY) this.#heart.set(this.#core.now() + everyMs);
  }

  #beat(): void {
    const { host } = this;
    const { epoch } = host.health;
    const beganAtMs = this.#core.now();
    const silence = this.#silence();
    this.#ping(silence)
      .then(
        () => this.#alive(epoch),
        (error: unknown) => {
          if (host.health.epoch !== epoch || this.#core.closing) return;
          if (isWarmvmError(error, 'WARMVM_HOST_LOST') || isWarmvmError(error, 'WARMVM_HOST_UNREACHABLE')) {
            // Silence is judged by itself: one slow answer must not cost every lease there.
            if (error !== silence || (host.aliveAtMs <= beganAtMs && host.health.missed())) {
              this.#core.hostLost(host, error === silence ? this.#mute(silence) : error, epoch);
            } else this.#beat();
          } else this.#alive(epoch);
        },
      )
      .catch(() => {});
  }

  /** An answer, be it a refusal. */
  #alive(epoch: number): void {
    if (this.host.health.epoch !== epoch || this.#core.closing) return;
    this.host.health.answered();
    this.#scheduleBeat();
    const { hasDestroyed, isLooking, lookAtMs } = this.host;
    if (hasDestroyed && !isLooking && this.#core.now() >= lookAtMs)
      removeOrphans(this.#core, this.host).catch(() => {});
  }

  #silence(): WarmvmError {
    return silentError(this.host.name, this.#core.options.heartbeat.timeoutMs);
  }

  #mute(silence: WarmvmError): WarmvmError {
    return mutedError(this.host.name, this.#core.options.heartbeat, silence);
  }

  #ping(silence: WarmvmError): Promise<unknown> {
    const { driver, scope } = this.host;
    return guardedCall((call) => driver.ping(call), {
      deadlines: this.#core.deadlines,
      nowMs: this.#core.now(),
      timeoutMs: this.#core.options.heartbeat.timeoutMs,
      timeoutError: () => silence,
      scope,
    });
  }
}
