/** Flags of the core dump calls (`VIR_DUMP_*`). */
export const DomainCoreDumpFlags = {
  CRASH: 1,
  LIVE: 2,
  BYPASS_CACHE: 4,
  RESET: 8,
  MEMORY_ONLY: 16,
} as const;

/** Formats of `domainCoreDumpWithFormat` (`VIR_DOMAIN_CORE_DUMP_FORMAT_*`). */
export const DomainCoreDumpFormat = {
  RAW: 0,
  KDUMP_ZLIB: 1,
  KDUMP_LZO: 2,
  KDUMP_SNAPPY: 3,
  WIN_DMP: 4,
} as const;

/** Flags of `domainSetMemoryFlags` (`VIR_DOMAIN_MEM_*`). */
export const DomainMemoryFlags = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
  MAXIMUM: 4,
} as const;

/** Flags of the calls that count or set virtual processors (`VIR_DOMAIN_VCPU_*`). */
export const DomainVcpuFlags = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
  MAXIMUM: 4,
  GUEST: 8,
  HOTPLUGGABLE: 16,
} as const;

/** States of a virtual processor (`VIR_VCPU_*`). */
export const VcpuState = {
  OFFLINE: 0,
  RUNNING: 1,
  BLOCKED: 2,
} as const;

/** Where `domainGetHostname` looks (`VIR_DOMAIN_GET_HOSTNAME_*`). */
export const DomainGetHostnameFlags = {
  LEASE: 1,
  AGENT: 2,
} as const;

/** Flags of `domainGetJobStats` (`VIR_DOMAIN_JOB_STATS_*`). */
export const DomainJobStatsFlags = {
  COMPLETED: 1,
  KEEP_COMPLETED: 2,
} as const;

/** Flags of `domainAbortJobFlags` (`VIR_DOMAIN_ABORT_JOB_*`). */
export const DomainAbortJobFlags = {
  POSTCOPY: 1,
} as const;

/** Flags of `domainBlockResize` (`VIR_DOMAIN_BLOCK_RESIZE_*`). */
export const DomainBlockResizeFlags = {
  BYTES: 1,
} as const;

/** What a block job does (`VIR_DOMAIN_BLOCK_JOB_TYPE_*`). */
export const DomainBlockJobType = {
  UNKNOWN: 0,
  PULL: 1,
  COPY: 2,
  COMMIT: 3,
  ACTIVE_COMMIT: 4,
  BACKUP: 5,
} as const;

/** Flags of `domainBlockJobAbort` (`VIR_DOMAIN_BLOCK_JOB_ABORT_*`). */
export const DomainBlockJobAbortFlags = {
  ASYNC: 1,
  PIVOT: 2,
} as const;

/** Flags of `domainGetBlockJobInfo` (`VIR_DOMAIN_BLOCK_JOB_INFO_*`). */
export const DomainBlockJobInfoFlags = {
  BANDWIDTH_BYTES: 1,
} as const;

/** Flags of `domainBlockJobSetSpeed` (`VIR_DOMAIN_BLOCK_JOB_SPEED_*`). */
export const DomainBlockJobSetSpeedFlags = {
  BANDWIDTH_BYTES: 1,
} as const;

/** Flags of `domainBlockPull` (`VIR_DOMAIN_BLOCK_PULL_*`). */
export const DomainBlockPullFlags = {
  BANDWIDTH_BYTES: 64,
} as const;

/** Flags of `domainBlockRebase` (`VIR_DOMAIN_BLOCK_REBASE_*`). */
export const DomainBlockRebaseFlags = {
  SHALLOW: 1,
  REUSE_EXT: 2,
  COPY_RAW: 4,
  COPY: 8,
  RELATIVE: 16,
  COPY_DEV: 32,
  BANDWIDTH_BYTES: 64,
} as const;

/** Flags of `domainBlockCopy` (`VIR_DOMAIN_BLOCK_COPY_*`). */
export const DomainBlockCopyFlags = {
  SHALLOW: 1,
  REUSE_EXT: 2,
  TRANSIENT_JOB: 4,
  SYNCHRONOUS_WRITES: 8,
} as const;

/** Flags of `domainBlockCommit` (`VIR_DOMAIN_BLOCK_COMMIT_*`). */
export const DomainBlockCommitFlags = {
  SHALLOW: 1,
  DELETE: 2,
  ACTIVE: 4,
  RELATIVE: 8,
  BANDWIDTH_BYTES: 16,
} as const;

/** Flags of `domainOpenChannel` (`VIR_DOMAIN_CHANNEL_*`). */
export const DomainChannelFlags = {
  FORCE: 1,
} as const;

/** Ends that `domainSetLifecycleAction` sets an action for (`VIR_DOMAIN_LIFECYCLE_*`). */
export const DomainLifecycle = {
  POWEROFF: 0,
  REBOOT: 1,
  CRASH: 2,
} as const;

/** Actions of `domainSetLifecycleAction` (`VIR_DOMAIN_LIFECYCLE_ACTION_*`). */
export const DomainLifecycleAction = {
  DESTROY: 0,
  RESTART: 1,
  RESTART_RENAME: 2,
  PRESERVE: 3,
  COREDUMP_DESTROY: 4,
  COREDUMP_RESTART: 5,
} as const;

/** Sorts of `domainGetMessages` (`VIR_DOMAIN_MESSAGE_*`). */
export const DomainMessageType = {
  DEPRECATION: 1,
  TAINTING: 2,
} as const;

/** Flags of `domainBackupBegin` (`VIR_DOMAIN_BACKUP_BEGIN_*`). */
export const DomainBackupBeginFlags = {
  REUSE_EXTERNAL: 1,
} as const;

/** Flags of `domainCheckpointCreateXml` (`VIR_DOMAIN_CHECKPOINT_CREATE_*`). */
export const DomainCheckpointCreateFlags = {
  REDEFINE: 1,
  QUIESCE: 2,
  REDEFINE_VALIDATE: 4,
} as const;

/** Flags of `domainCheckpointGetXmlDesc` (`VIR_DOMAIN_CHECKPOINT_XML_*`). */
export const DomainCheckpointXmlFlags = {
  SECURE: 1,
  NO_DOMAIN: 2,
  SIZE: 4,
} as const;

/** Filters of the checkpoint lists (`VIR_DOMAIN_CHECKPOINT_LIST_*`). */
export const DomainCheckpointListFlags = {
  ROOTS: 1,
  DESCENDANTS: 1,
  TOPOLOGICAL: 2,
  LEAVES: 4,
  NO_LEAVES: 8,
} as const;

/** Flags of `domainCheckpointDelete` (`VIR_DOMAIN_CHECKPOINT_DELETE_*`). */
export const DomainCheckpointDeleteFlags = {
  CHILDREN: 1,
  METADATA_ONLY: 2,
  CHILDREN_ONLY: 4,
} as const;

/** Flags of `domainSnapshotGetXmlDesc` (`VIR_DOMAIN_SNAPSHOT_XML_*`). */
export const DomainSnapshotXmlFlags = {
  SECURE: 1,
} as const;

/** What is wrong with a disk (`VIR_DOMAIN_DISK_ERROR_*`). */
export const DomainDiskErrorCode = {
  NONE: 0,
  UNSPEC: 1,
  NO_SPACE: 2,
} as const;

/** Flags of `domainSetUserPassword` (`VIR_DOMAIN_PASSWORD_*`). */
export const DomainSetUserPasswordFlags = {
  ENCRYPTED: 1,
} as const;

/** Flags of `domainAuthorizedSshKeysSet` (`VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_*`). */
export const DomainSshKeysSetFlags = {
  APPEND: 1,
  REMOVE: 2,
} as const;

/** Flags of `domainMemoryPeek` (`VIR_MEMORY_*`). */
export const DomainMemoryPeekFlags = {
  VIRTUAL: 1,
  PHYSICAL: 2,
} as const;

/** Values of the NUMA parameter `numa_mode` (`VIR_DOMAIN_NUMATUNE_MEM_*`). */
export const DomainNumatuneMode = {
  STRICT: 0,
  PREFERRED: 1,
  INTERLEAVE: 2,
  RESTRICTIVE: 3,
} as const;

/** Flags of the migration calls (`VIR_MIGRATE_*`). */
export const MigrateFlags = {
  LIVE: 1,
  PEER2PEER: 2,
  TUNNELLED: 4,
  PERSIST_DEST: 8,
  UNDEFINE_SOURCE: 16,
  PAUSED: 32,
  NON_SHARED_DISK: 64,
  NON_SHARED_INC: 128,
  CHANGE_PROTECTION: 256,
  UNSAFE: 512,
  OFFLINE: 1024,
  COMPRESSED: 2048,
  ABORT_ON_ERROR: 4096,
  AUTO_CONVERGE: 8192,
  RDMA_PIN_ALL: 16384,
  POSTCOPY: 32768,
  TLS: 65536,
  PARALLEL: 131072,
  NON_SHARED_SYNCHRONOUS_WRITES: 262144,
  POSTCOPY_RESUME: 524288,
  ZEROCOPY: 1048576,
} as const;
