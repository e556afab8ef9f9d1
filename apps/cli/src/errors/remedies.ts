import type { ErrorCode } from '@warmvm/core';

/** What a person can do about each error. The long form is `docs/errors.md`. */
export const REMEDIES: Readonly<Record<ErrorCode, string>> = {
  WARMVM_POOL_CLOSED: 'the pool was closed meanwhile: start it again, or leave out what names it',
  WARMVM_ACQUIRE_TIMEOUT:
    'raise pool.max or pool.acquireTimeoutMs; where the cause is a failed creation, mend that first',
  WARMVM_POOL_EXHAUSTED: 'try again later, or raise pool.max and pool.maxWaiting',
  WARMVM_LEASE_EXPIRED: 'ask for a longer lease with pool.leaseMs',
  WARMVM_LEASE_RELEASED: 'this is a mistake in the program that used the lease: please report it',
  WARMVM_HOST_UNREACHABLE: 'see what is wrong with the host: warmvm doctor',
  WARMVM_HOST_LOST: 'run it again; warmvm sweep removes what was left behind',
  WARMVM_HOST_DENIED: 'see which rights are missing: warmvm doctor',
  WARMVM_HOST_PROTOCOL:
    'compare the versions with https://github.com/warmvm/warmvm/blob/main/docs/platforms.md, and report it with --debug',
  WARMVM_HOST_OPERATION: 'read what the hypervisor said above; warmvm doctor looks at the usual reasons',
  WARMVM_GOLDEN_INVALID:
    'mend the image, or use another with --image; its guest must run a guest agent and a renewal program',
  WARMVM_GOLDEN_MISSING:
    'run it again: the image is prepared anew. If a package could not be fetched, look at the network',
  WARMVM_FORK_FAILED: 'look at memory and disk space of the host: warmvm doctor',
  WARMVM_RESET_FAILED:
    'run it again: the machine was destroyed. If it stays, pool.reset "never" makes each machine new',
  WARMVM_NOT_READY: 'give the guest more time or memory; --debug shows what it did not answer',
  WARMVM_MACHINE_CRASHED: 'the guest crashed or was killed: run it again, with more memory if it needs more',
  WARMVM_MACHINE_GONE: 'somebody else removed the machine: run it again',
  WARMVM_GUEST_UNRESPONSIVE: 'the guest no longer answers: run it again, with more memory if it needs more',
  WARMVM_GUEST_EXEC_FAILED: 'look at the program, its path and its folder in the guest',
  WARMVM_NOT_SUPPORTED: 'use another driver or image: this one cannot do it',
};
