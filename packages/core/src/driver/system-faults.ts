import type { ErrorCode } from './error.ts';

/** What a fault of the operating system is, in one word for programs: `details.reason` of {@link fromSystemError}. */
export type SystemFaultReason =
  | 'disk-full'
  | 'quota-exceeded'
  | 'file-too-large'
  | 'permission-denied'
  | 'missing-capability'
  | 'node-permission'
  | 'read-only-file-system'
  | 'too-many-open-files'
  | 'too-many-processes'
  | 'out-of-memory'
  | 'killed-by-signal'
  | 'no-user-entry'
  | 'missing-program'
  | 'not-executable'
  | 'missing-file'
  | 'file-exists'
  | 'not-a-folder'
  | 'path-too-long'
  | 'too-many-links'
  | 'other-file-system'
  | 'busy'
  | 'device-fault'
  | 'missing-device'
  | 'not-supported'
  | 'invalid-argument'
  | 'connection-refused'
  | 'connection-broken'
  | 'unreachable'
  | 'timed-out'
  | 'unknown-name'
  | 'address-in-use'
  | 'unknown';

/** What is known of one fault: reason, code, whether it may pass, explanation, remedy. */
export type FaultRow = readonly [SystemFaultReason, ErrorCode, retryable: boolean, explanation: string, remedy: string];

const DISK_FULL: FaultRow = [
  'disk-full',
  'WARMVM_HOST_OPERATION',
  true,
  'no space is left on the device',
  'Free space there, or name a folder on a larger file system.',
];
const DENIED: FaultRow = [
  'permission-denied',
  'WARMVM_HOST_DENIED',
  false,
  'this user has no permission',
  'Check who owns the path and its parent folders, and their modes; or run as a user that may.',
];
const OPEN_FILES: FaultRow = [
  'too-many-open-files',
  'WARMVM_HOST_OPERATION',
  true,
  'too many files are open',
  'Raise the limit of open files (`ulimit -n`, `LimitNOFILE=`), or run fewer machines.',
];
export const PROCESSES: FaultRow = [
  'too-many-processes',
  'WARMVM_HOST_OPERATION',
  true,
  'the system cannot start another process now',
  'Raise the limit of processes (`ulimit -u`, `TasksMax=`, `pids.max`), or run fewer machines.',
];
const MEMORY: FaultRow = [
  'out-of-memory',
  'WARMVM_HOST_OPERATION',
  true,
  'the system has not enough memory',
  'Free memory on the host, or run fewer or smaller machines.',
];
const MISSING_FILE: FaultRow = [
  'missing-file',
  'WARMVM_HOST_OPERATION',
  false,
  'no such file or folder exists',
  'Check the path, and whether something removes files there.',
];
export const MISSING_PROGRAM: FaultRow = [
  'missing-program',
  'WARMVM_HOST_OPERATION',
  false,
  'no such program exists',
  'Install it, or name its absolute path in the options.',
];
export const NO_LISTENER: FaultRow = [
  'connection-refused',
  'WARMVM_HOST_UNREACHABLE',
  true,
  'nothing listens there',
  'Check the address, and that the daemon runs.',
];
const UNREACHABLE: FaultRow = [
  'unreachable',
  'WARMVM_HOST_UNREACHABLE',
  true,
  'no route leads there',
  'Check the address and the network.',
];
const UNKNOWN_NAME: FaultRow = [
  'unknown-name',
  'WARMVM_HOST_UNREACHABLE',
  true,
  'the name does not resolve',
  'Check the spelling of the name, and name resolution.',
];
const BROKEN: FaultRow = [
  'connection-broken',
  'WARMVM_HOST_UNREACHABLE',
  true,
  'the other side closed the connection',
  'Check the log of the daemon on the other side.',
];
export const BUSY: FaultRow = [
  'busy',
  'WARMVM_HOST_OPERATION',
  true,
  'something else uses it now',
  'Try again; find the user with `lsof` or `fuser`.',
];
const NOT_A_FOLDER: FaultRow = [
  'not-a-folder',
  'WARMVM_HOST_OPERATION',
  false,
  'a part of the path is a file where a folder is expected, or the other way round',
  'Check the path.',
];
const FILE_EXISTS: FaultRow = [
  'file-exists',
  'WARMVM_HOST_OPERATION',
  false,
  'something of that name exists already',
  'Remove it, or choose another name.',
];
const NOT_SUPPORTED: FaultRow = [
  'not-supported',
  'WARMVM_NOT_SUPPORTED',
  false,
  'the system or the file system cannot do this',
  'Use another file system, or a newer kernel.',
];
const MISSING_DEVICE: FaultRow = [
  'missing-device',
  'WARMVM_HOST_OPERATION',
  false,
  'the device does not exist or does not work',
  'Load its kernel module, and check that the container passes the device through.',
];
const NOT_EXECUTABLE: FaultRow = [
  'not-executable',
  'WARMVM_HOST_OPERATION',
  false,
  'the file is not a program for this processor',
  'Install the program for the architecture of this host.',
];

/** By the code of the error. */
export const FAULTS: Readonly<Record<string, FaultRow>> = {
  ENOSPC: DISK_FULL,
  EDQUOT: [
    'quota-exceeded',
    'WARMVM_HOST_OPERATION',
    true,
    'the disk quota of this user is used up',
    'Free space, or raise the quota.',
  ],
  EFBIG: [
    'file-too-large',
    'WARMVM_HOST_OPERATION',
    false,
    'the file is larger than the file system or the limit allows',
    'Raise the limit of file sizes (`ulimit -f`), or use another file system.',
  ],
  EACCES: DENIED,
  EPERM: DENIED,
  ERR_ACCESS_DENIED: [
    'node-permission',
    'WARMVM_HOST_DENIED',
    false,
    'Node runs with --permission and does not allow it',
    'Start Node with --allow-fs-read, --allow-fs-write or --allow-child-process for this resource, or without --permission.',
  ],
  EROFS: [
    'read-only-file-system',
    'WARMVM_HOST_OPERATION',
    false,
    'the file system is read-only',
    'Name a folder on a file system that can be written.',
  ],
  EMFILE: OPEN_FILES,
  ENFILE: OPEN_FILES,
  EAGAIN: PROCESSES,
  ENOMEM: MEMORY,
  ENOENT: MISSING_FILE,
  ESTALE: MISSING_FILE,
  EEXIST: FILE_EXISTS,
  ENOTEMPTY: FILE_EXISTS,
  ENOTDIR: NOT_A_FOLDER,
  EISDIR: NOT_A_FOLDER,
  ENAMETOOLONG: [
    'path-too-long',
    'WARMVM_HOST_OPERATION',
    false,
    'the path is longer than the system allows',
    'Name a shorter folder.',
  ],
  ELOOP: [
    'too-many-links',
    'WARMVM_HOST_OPERATION',
    false,
    'the path holds a symbolic link that is not followed, or a circle of links',
    'Name the path without symbolic links.',
  ],
  EXDEV: [
    'other-file-system',
    'WARMVM_HOST_OPERATION',
    false,
    'both paths must be on one file system',
    'Name folders on the same file system.',
  ],
  EBUSY: BUSY,
  ETXTBSY: BUSY,
  EINTR: BUSY,
  EIO: [
    'device-fault',
    'WARMVM_HOST_OPERATION',
    false,
    'the device reported an input or output error',
    'Check the disk and the log of the kernel (`dmesg`).',
  ],
  ENODEV: MISSING_DEVICE,
  ENXIO: MISSING_DEVICE,
  ENOEXEC: NOT_EXECUTABLE,
  ENOSYS: NOT_SUPPORTED,
  ENOTSUP: NOT_SUPPORTED,
  EOPNOTSUPP: NOT_SUPPORTED,
  EINVAL: [
    'invalid-argument',
    'WARMVM_HOST_OPERATION',
    false,
    'the system does not accept an argument',
    'Check the options that lead here, such as paths longer than a socket may have.',
  ],
  ECONNREFUSED: NO_LISTENER,
  ECONNRESET: BROKEN,
  ECONNABORTED: BROKEN,
  EPIPE: BROKEN,
  ENOTCONN: BROKEN,
  ETIMEDOUT: [
    'timed-out',
    'WARMVM_HOST_UNREACHABLE',
    true,
    'the other side did not answer in time',
    'Check the address, the network and the firewall.',
  ],
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  ENOTFOUND: UNKNOWN_NAME,
  EAI_AGAIN: UNKNOWN_NAME,
  EADDRINUSE: [
    'address-in-use',
    'WARMVM_HOST_OPERATION',
    false,
    'something else listens there already',
    'End the other program, or choose another address.',
  ],
};

/** Capability that root lacks when one of these system calls is not permitted. */
export const CAPABILITIES: Readonly<Record<string, string>> = {
  chown: 'CAP_CHOWN',
  fchown: 'CAP_CHOWN',
  lchown: 'CAP_CHOWN',
  chmod: 'CAP_FOWNER',
  fchmod: 'CAP_FOWNER',
  kill: 'CAP_KILL',
  setuid: 'CAP_SETUID',
  setgid: 'CAP_SETGID',
  setgroups: 'CAP_SETGID',
  mount: 'CAP_SYS_ADMIN',
  unshare: 'CAP_SYS_ADMIN',
  mknod: 'CAP_MKNOD',
  chroot: 'CAP_SYS_CHROOT',
  setpriority: 'CAP_SYS_NICE',
};

/** What to do about a program that a signal ended. */
export const SIGNAL_REMEDIES: Readonly<Record<string, string>> = {
  SIGKILL: 'Look for the out-of-memory killer in the log of the kernel (`dmesg`), or for who sent the signal.',
  SIGSYS: 'A system call filter stopped it: look for "seccomp" in the log of the kernel (`dmesg`).',
  SIGBUS: 'The file system of its memory may be full: free space there.',
  SIGXFSZ: 'Raise the limit of file sizes (`ulimit -f`).',
};
