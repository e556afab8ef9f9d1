/** Flags of `domainCreateXml` and `domainCreateWithFlags` (`VIR_DOMAIN_*`). */
export const DomainCreateFlags = {
  NONE: 0,
  START_PAUSED: 1,
  START_AUTODESTROY: 2,
  START_BYPASS_CACHE: 4,
  START_FORCE_BOOT: 8,
  START_VALIDATE: 16,
  START_RESET_NVRAM: 32,
} as const;

/** Flags of `domainDefineXmlFlags` (`VIR_DOMAIN_DEFINE_*`). */
export const DomainDefineFlags = {
  VALIDATE: 1,
} as const;

/** Flags of `domainUndefineFlags` (`VIR_DOMAIN_UNDEFINE_*`). */
export const DomainUndefineFlags = {
  MANAGED_SAVE: 1,
  SNAPSHOTS_METADATA: 2,
  NVRAM: 4,
  KEEP_NVRAM: 8,
  CHECKPOINTS_METADATA: 16,
  TPM: 32,
  KEEP_TPM: 64,
} as const;

/** Flags of `domainDestroyFlags` (`VIR_DOMAIN_DESTROY_*`). */
export const DomainDestroyFlags = {
  DEFAULT: 0,
  GRACEFUL: 1,
  REMOVE_LOGS: 2,
} as const;

/** Flags of `domainShutdownFlags` (`VIR_DOMAIN_SHUTDOWN_*`). */
export const DomainShutdownFlags = {
  DEFAULT: 0,
  ACPI_POWER_BTN: 1,
  GUEST_AGENT: 2,
  INITCTL: 4,
  SIGNAL: 8,
  PARAVIRT: 16,
} as const;

/** Flags of `domainReboot` (`VIR_DOMAIN_REBOOT_*`). */
export const DomainRebootFlags = {
  DEFAULT: 0,
  ACPI_POWER_BTN: 1,
  GUEST_AGENT: 2,
  INITCTL: 4,
  SIGNAL: 8,
  PARAVIRT: 16,
} as const;

/** Flags of the save and restore calls (`VIR_DOMAIN_SAVE_*`). */
export const DomainSaveRestoreFlags = {
  BYPASS_CACHE: 1,
  RUNNING: 2,
  PAUSED: 4,
  RESET_NVRAM: 8,
} as const;

/** Flags of `domainGetXmlDesc` (`VIR_DOMAIN_XML_*`). */
export const DomainXmlFlags = {
  SECURE: 1,
  INACTIVE: 2,
  UPDATE_CPU: 4,
  MIGRATABLE: 8,
} as const;

/** What a change applies to (`VIR_DOMAIN_AFFECT_*`). */
export const DomainModificationImpact = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
} as const;

/** Kinds of metadata (`VIR_DOMAIN_METADATA_*`). */
export const DomainMetadataType = {
  DESCRIPTION: 0,
  TITLE: 1,
  ELEMENT: 2,
} as const;

/** Flags of the device calls (`VIR_DOMAIN_DEVICE_MODIFY_*`). */
export const DomainDeviceModifyFlags = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
  FORCE: 4,
} as const;

/** Flags of `domainOpenConsole` (`VIR_DOMAIN_CONSOLE_*`). */
export const DomainConsoleFlags = {
  FORCE: 1,
  SAFE: 2,
} as const;

/** Tags of `domainMemoryStats` (`VIR_DOMAIN_MEMORY_STAT_*`). */
export const DomainMemoryStatTags = {
  SWAP_IN: 0,
  SWAP_OUT: 1,
  MAJOR_FAULT: 2,
  MINOR_FAULT: 3,
  UNUSED: 4,
  AVAILABLE: 5,
  ACTUAL_BALLOON: 6,
  RSS: 7,
  USABLE: 8,
  LAST_UPDATE: 9,
  DISK_CACHES: 10,
  HUGETLB_PGALLOC: 11,
  HUGETLB_PGFAIL: 12,
  NR: 13,
} as const;

/** Flags of `domainSetTime` (`VIR_DOMAIN_TIME_*`). */
export const DomainSetTimeFlags = {
  SYNC: 1,
} as const;

/** Where `domainInterfaceAddresses` looks (`VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_*`). */
export const DomainInterfaceAddressesSource = {
  LEASE: 0,
  AGENT: 1,
  ARP: 2,
} as const;

/** What `domainGetGuestInfo` asks for (`VIR_DOMAIN_GUEST_INFO_*`). */
export const DomainGuestInfoTypes = {
  USERS: 1,
  OS: 2,
  TIMEZONE: 4,
  HOSTNAME: 8,
  FILESYSTEM: 16,
  DISKS: 32,
  INTERFACES: 64,
} as const;

/** Special values of `domainAgentSetResponseTimeout`; other values are seconds (`VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_*`). */
export const DomainAgentResponseTimeout = {
  BLOCK: -2,
  DEFAULT: -1,
  NOWAIT: 0,
} as const;

/** Sets of key codes for `domainSendKey` (`VIR_KEYCODE_SET_*`). */
export const KeycodeSet = {
  LINUX: 0,
  XT: 1,
  ATSET1: 2,
  ATSET2: 3,
  ATSET3: 4,
  OSX: 5,
  XT_KBD: 6,
  USB: 7,
  WIN32: 8,
  QNUM: 9,
} as const;

/** Targets of `domainPmSuspendForDuration` (`VIR_NODE_SUSPEND_TARGET_*`). */
export const NodeSuspendTarget = {
  MEM: 0,
  DISK: 1,
  HYBRID: 2,
} as const;
