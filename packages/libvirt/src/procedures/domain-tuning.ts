/** Domains: pinning, scheduler, NUMA, I/O threads and security. */
export const domainTuningProcedures = {
  domainPinVcpu: { number: 26, args: { dom: 'domain', vcpu: 'u32', cpumap: 'bytes<=2048' }, ret: {} },
  domainPinVcpuFlags: {
    number: 225,
    args: { dom: 'domain', vcpu: 'u32', cpumap: 'bytes<=2048', flags: 'u32' },
    ret: {},
  },
  domainGetVcpuPinInfo: {
    number: 230,
    args: { dom: 'domain', ncpumaps: 'i32', maplen: 'i32', flags: 'u32' },
    ret: { cpumaps: 'bytes<=8388608', num: 'i32' },
  },
  domainPinEmulator: { number: 279, args: { dom: 'domain', cpumap: 'bytes<=2048', flags: 'u32' }, ret: {} },
  domainGetEmulatorPinInfo: {
    number: 280,
    args: { dom: 'domain', maplen: 'i32', flags: 'u32' },
    ret: { cpumaps: 'bytes<=8388608', ret: 'i32' },
  },
  domainSetVcpu: {
    number: 384,
    args: { dom: 'domain', cpumap: 'string', state: 'i32', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainGetSchedulerType: { number: 56, args: { dom: 'domain' }, ret: { type: 'string', nparams: 'i32' } },
  domainGetSchedulerParameters: { number: 57, args: { dom: 'domain', nparams: 'i32' }, ret: { params: 'param[16]' } },
  domainGetSchedulerParametersFlags: {
    number: 223,
    args: { dom: 'domain', nparams: 'i32', flags: 'u32' },
    ret: { params: 'param[16]' },
  },
  domainSetSchedulerParameters: { number: 58, args: { dom: 'domain', params: 'param[16]' }, ret: {} },
  domainSetSchedulerParametersFlags: {
    number: 219,
    args: { dom: 'domain', params: 'param[16]', flags: 'u32' },
    ret: {},
  },
  domainGetNumaParameters: {
    number: 255,
    args: { dom: 'domain', nparams: 'i32', flags: 'u32' },
    ret: { params: 'param[16]', nparams: 'i32' },
  },
  domainSetNumaParameters: { number: 254, args: { dom: 'domain', params: 'param[16]', flags: 'u32' }, ret: {} },
  domainGetIothreadInfo: {
    number: 351,
    args: { dom: 'domain', flags: 'u32' },
    ret: { info: 'iothread[16384]', ret: 'u32' },
  },
  domainPinIothread: {
    number: 352,
    args: { dom: 'domain', iothreadsId: 'u32', cpumap: 'bytes<=2048', flags: 'u32' },
    ret: {},
  },
  domainAddIothread: { number: 355, args: { dom: 'domain', iothreadId: 'u32', flags: 'u32' }, ret: {} },
  domainDelIothread: { number: 356, args: { dom: 'domain', iothreadId: 'u32', flags: 'u32' }, ret: {} },
  domainSetIothreadParams: {
    number: 402,
    args: { dom: 'domain', iothreadId: 'u32', params: 'param[64]', flags: 'u32' },
    ret: {},
  },
  domainGetPerfEvents: { number: 365, args: { dom: 'domain', flags: 'u32' }, ret: { params: 'param[64]' } },
  domainSetPerfEvents: { number: 366, args: { dom: 'domain', params: 'param[64]', flags: 'u32' }, ret: {} },
  domainSetThrottleGroup: {
    number: 451,
    args: { dom: 'domain', group: 'string', params: 'param[32]', flags: 'u32' },
    ret: {},
  },
  domainDelThrottleGroup: { number: 452, args: { dom: 'domain', group: 'string?', flags: 'u32' }, ret: {} },
  domainGetSecurityLabel: { number: 121, args: { dom: 'domain' }, ret: { label: 'chars[4097]', enforcing: 'i32' } },
  domainGetSecurityLabelList: {
    number: 278,
    args: { dom: 'domain' },
    ret: { labels: 'securityLabel[64]', ret: 'i32' },
  },
  domainGetLaunchSecurityInfo: { number: 396, args: { dom: 'domain', flags: 'u32' }, ret: { params: 'param[64]' } },
  domainSetLaunchSecurityState: {
    number: 439,
    args: { dom: 'domain', params: 'param[64]', flags: 'u32' },
    ret: {},
    slow: true,
  },
} as const;
