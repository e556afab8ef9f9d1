/** The qemu program: monitor and guest agent pass-through. */
export const qemuProcedures = {
  domainMonitorCommand: {
    number: 1,
    args: { dom: 'domain', cmd: 'string', flags: 'u32' },
    ret: { result: 'string' },
    program: 'qemu',
    slow: true,
  },
  domainAgentCommand: {
    number: 3,
    args: { dom: 'domain', cmd: 'string', timeout: 'i32', flags: 'u32' },
    ret: { result: 'string?' },
    program: 'qemu',
    slow: true,
  },
  connectDomainMonitorEventRegister: {
    number: 4,
    args: { dom: 'domain?', event: 'string?', flags: 'u32' },
    ret: { callbackID: 'i32' },
    program: 'qemu',
  },
  connectDomainMonitorEventDeregister: { number: 5, args: { callbackID: 'i32' }, ret: {}, program: 'qemu' },
} as const;
