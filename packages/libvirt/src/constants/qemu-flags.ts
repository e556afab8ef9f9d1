/** Flags of `domainMonitorCommand` (`VIR_DOMAIN_QEMU_MONITOR_COMMAND_*`). */
export const QemuMonitorCommandFlags = {
  DEFAULT: 0,
  HMP: 1,
} as const;

/** Special values of the timeout of `domainAgentCommand`; other values are seconds (`VIR_DOMAIN_QEMU_AGENT_COMMAND_*`). */
export const QemuAgentCommandTimeout = {
  MIN: -2,
  BLOCK: -2,
  DEFAULT: -1,
  NOWAIT: 0,
  SHUTDOWN: 60,
} as const;

/** Flags of a qemu monitor subscription (`VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_*`). */
export const QemuMonitorEventFlags = {
  REGEX: 1,
  NOCASE: 2,
} as const;
