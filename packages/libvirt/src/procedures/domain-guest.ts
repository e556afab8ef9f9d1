/** Domains: what the guest agent answers; all of it waits for the guest. */
export const domainGuestProcedures = {
  domainInterfaceAddresses: {
    number: 353,
    args: { dom: 'domain', source: 'u32', flags: 'u32' },
    ret: { ifaces: 'networkInterface[2048]' },
    slow: true,
  },
  domainGetGuestInfo: {
    number: 418,
    args: { dom: 'domain', types: 'u32', flags: 'u32' },
    ret: { params: 'param[2048]' },
    slow: true,
  },
  domainGetTime: {
    number: 337,
    args: { dom: 'domain', flags: 'u32' },
    ret: { seconds: 'i64', nseconds: 'u32' },
    slow: true,
  },
  domainSetTime: {
    number: 338,
    args: { dom: 'domain', seconds: 'i64', nseconds: 'u32', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainFsfreeze: {
    number: 335,
    args: { dom: 'domain', mountpoints: 'string[256]', flags: 'u32' },
    ret: { filesystems: 'i32' },
    slow: true,
  },
  domainFsthaw: {
    number: 336,
    args: { dom: 'domain', mountpoints: 'string[256]', flags: 'u32' },
    ret: { filesystems: 'i32' },
    slow: true,
  },
  domainFstrim: {
    number: 294,
    args: { dom: 'domain', mountPoint: 'string?', minimum: 'u64', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainGetFsinfo: {
    number: 349,
    args: { dom: 'domain', flags: 'u32' },
    ret: { info: 'filesystem[256]', ret: 'u32' },
    slow: true,
  },
  domainGetHostname: { number: 277, args: { dom: 'domain', flags: 'u32' }, ret: { hostname: 'string' }, slow: true },
  domainAgentSetResponseTimeout: {
    number: 420,
    args: { dom: 'domain', timeout: 'i32', flags: 'u32' },
    ret: { result: 'i32' },
  },
  domainSetUserPassword: {
    number: 357,
    args: { dom: 'domain', user: 'string?', password: 'string?', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainGetGuestVcpus: { number: 371, args: { dom: 'domain', flags: 'u32' }, ret: { params: 'param[64]' }, slow: true },
  domainSetGuestVcpus: {
    number: 372,
    args: { dom: 'domain', cpumap: 'string', state: 'i32', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainAuthorizedSshKeysGet: {
    number: 424,
    args: { dom: 'domain', user: 'string', flags: 'u32' },
    ret: { keys: 'string[2048]' },
    slow: true,
  },
  domainAuthorizedSshKeysSet: {
    number: 425,
    args: { dom: 'domain', user: 'string', keys: 'string[2048]', flags: 'u32' },
    ret: {},
    slow: true,
  },
} as const;
