/** Detail of PMSUSPENDED (`VIR_DOMAIN_EVENT_PMSUSPENDED_*`). */
export const DomainEventPmSuspendedDetail = {
  MEMORY: 0,
  DISK: 1,
} as const;

/** Who met a memory failure (`VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_*`). */
export const DomainEventMemoryFailureRecipient = {
  HYPERVISOR: 0,
  GUEST: 1,
} as const;

/** What became of a memory failure (`VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_*`). */
export const DomainEventMemoryFailureAction = {
  IGNORE: 0,
  INJECT: 1,
  FATAL: 2,
  RESET: 3,
} as const;

/** Flags of a memory failure event (`VIR_DOMAIN_MEMORY_FAILURE_*`). */
export const DomainEventMemoryFailureFlags = {
  ACTION_REQUIRED: 1,
  RECURSIVE: 2,
} as const;

/** Phase of a graphics event (`VIR_DOMAIN_EVENT_GRAPHICS_*`). */
export const DomainEventGraphicsPhase = {
  CONNECT: 0,
  INITIALIZE: 1,
  DISCONNECT: 2,
} as const;

/** Family of an address in a graphics event (`VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_*`). */
export const DomainEventGraphicsAddressType = {
  IPV4: 0,
  IPV6: 1,
  UNIX: 2,
} as const;

/** Status in a block job event (`VIR_DOMAIN_BLOCK_JOB_*`). */
export const DomainEventBlockJobStatus = {
  COMPLETED: 0,
  FAILED: 1,
  CANCELED: 2,
  READY: 3,
} as const;

/** Reason of a disk change event (`VIR_DOMAIN_EVENT_DISK_*`). */
export const DomainEventDiskChangeReason = {
  CHANGE_MISSING_ON_START: 0,
  DROP_MISSING_ON_START: 1,
} as const;

/** Reason of a tray change event (`VIR_DOMAIN_EVENT_TRAY_CHANGE_*`). */
export const DomainEventTrayChangeReason = {
  OPEN: 0,
  CLOSE: 1,
} as const;

/** What a node device lifecycle event says (`VIR_NODE_DEVICE_EVENT_*`). */
export const NodeDeviceEventType = {
  CREATED: 0,
  DELETED: 1,
  DEFINED: 2,
  UNDEFINED: 3,
} as const;

/** What a secret lifecycle event says (`VIR_SECRET_EVENT_*`). */
export const SecretEventType = {
  DEFINED: 0,
  UNDEFINED: 1,
} as const;
