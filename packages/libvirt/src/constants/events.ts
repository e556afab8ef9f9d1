/** What a lifecycle event says (`VIR_DOMAIN_EVENT_*`). */
export const DomainEventType = {
  DEFINED: 0,
  UNDEFINED: 1,
  STARTED: 2,
  SUSPENDED: 3,
  RESUMED: 4,
  STOPPED: 5,
  SHUTDOWN: 6,
  PMSUSPENDED: 7,
  CRASHED: 8,
} as const;

/** Detail of DEFINED (`VIR_DOMAIN_EVENT_DEFINED_*`). */
export const DomainEventDefinedDetail = {
  ADDED: 0,
  UPDATED: 1,
  RENAMED: 2,
  FROM_SNAPSHOT: 3,
} as const;

/** Detail of UNDEFINED (`VIR_DOMAIN_EVENT_UNDEFINED_*`). */
export const DomainEventUndefinedDetail = {
  REMOVED: 0,
  RENAMED: 1,
} as const;

/** Detail of STARTED (`VIR_DOMAIN_EVENT_STARTED_*`). */
export const DomainEventStartedDetail = {
  BOOTED: 0,
  MIGRATED: 1,
  RESTORED: 2,
  FROM_SNAPSHOT: 3,
  WAKEUP: 4,
} as const;

/** Detail of SUSPENDED (`VIR_DOMAIN_EVENT_SUSPENDED_*`). */
export const DomainEventSuspendedDetail = {
  PAUSED: 0,
  MIGRATED: 1,
  IOERROR: 2,
  WATCHDOG: 3,
  RESTORED: 4,
  FROM_SNAPSHOT: 5,
  API_ERROR: 6,
  POSTCOPY: 7,
  POSTCOPY_FAILED: 8,
} as const;

/** Detail of RESUMED (`VIR_DOMAIN_EVENT_RESUMED_*`). */
export const DomainEventResumedDetail = {
  UNPAUSED: 0,
  MIGRATED: 1,
  FROM_SNAPSHOT: 2,
  POSTCOPY: 3,
  POSTCOPY_FAILED: 4,
} as const;

/** Detail of STOPPED (`VIR_DOMAIN_EVENT_STOPPED_*`). */
export const DomainEventStoppedDetail = {
  SHUTDOWN: 0,
  DESTROYED: 1,
  CRASHED: 2,
  MIGRATED: 3,
  SAVED: 4,
  FAILED: 5,
  FROM_SNAPSHOT: 6,
} as const;

/** Detail of SHUTDOWN (`VIR_DOMAIN_EVENT_SHUTDOWN_*`). */
export const DomainEventShutdownDetail = {
  FINISHED: 0,
  GUEST: 1,
  HOST: 2,
} as const;

/** Detail of CRASHED (`VIR_DOMAIN_EVENT_CRASHED_*`). */
export const DomainEventCrashedDetail = {
  PANICKED: 0,
  CRASHLOADED: 1,
} as const;

/** State in an agent lifecycle event (`VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_*`). */
export const DomainEventAgentLifecycleState = {
  CONNECTED: 1,
  DISCONNECTED: 2,
} as const;

/** Reason in an agent lifecycle event (`VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_*`). */
export const DomainEventAgentLifecycleReason = {
  UNKNOWN: 0,
  DOMAIN_STARTED: 1,
  CHANNEL: 2,
} as const;

/** What became of the domain after an I/O error (`VIR_DOMAIN_EVENT_IO_ERROR_*`). */
export const DomainEventIoErrorAction = {
  NONE: 0,
  PAUSE: 1,
  REPORT: 2,
} as const;

/** What the watchdog did (`VIR_DOMAIN_EVENT_WATCHDOG_*`). */
export const DomainEventWatchdogAction = {
  NONE: 0,
  PAUSE: 1,
  RESET: 2,
  POWEROFF: 3,
  SHUTDOWN: 4,
  DEBUG: 5,
  INJECTNMI: 6,
} as const;

/** What a storage pool lifecycle event says (`VIR_STORAGE_POOL_EVENT_*`). */
export const StoragePoolEventType = {
  DEFINED: 0,
  UNDEFINED: 1,
  STARTED: 2,
  STOPPED: 3,
  CREATED: 4,
  DELETED: 5,
} as const;

/** What a network lifecycle event says (`VIR_NETWORK_EVENT_*`). */
export const NetworkEventType = {
  DEFINED: 0,
  UNDEFINED: 1,
  STARTED: 2,
  STOPPED: 3,
} as const;
