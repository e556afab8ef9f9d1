/** Calls about the connection and the driver behind it. */
export const connectionProcedures = {
  connectOpen: { number: 1, args: { name: 'string?', flags: 'u32' }, ret: {} },
  connectClose: { number: 2, args: {}, ret: {} },
  connectGetType: { number: 3, args: {}, ret: { type: 'string' } },
  connectGetVersion: { number: 4, args: {}, ret: { hvVer: 'u64' }, slow: true },
  connectGetMaxVcpus: { number: 5, args: { type: 'string?' }, ret: { maxVcpus: 'i32' } },
  connectGetCapabilities: { number: 7, args: {}, ret: { capabilities: 'string' }, slow: true },
  connectGetHostname: { number: 59, args: {}, ret: { hostname: 'string' } },
  connectSupportsFeature: { number: 60, args: { feature: 'i32' }, ret: { supported: 'i32' } },
  connectGetUri: { number: 110, args: {}, ret: { uri: 'string' } },
  connectIsSecure: { number: 149, args: {}, ret: { secure: 'i32' } },
  connectGetLibVersion: { number: 157, args: {}, ret: { libVer: 'u64' } },
  connectGetSysinfo: { number: 203, args: { flags: 'u32' }, ret: { sysinfo: 'string' } },
  connectGetDomainCapabilities: {
    number: 342,
    args: { emulatorbin: 'string?', arch: 'string?', machine: 'string?', virttype: 'string?', flags: 'u32' },
    ret: { capabilities: 'string' },
    slow: true,
  },
  connectBaselineCpu: {
    number: 162,
    args: { xmlCpus: 'string[256]', flags: 'u32' },
    ret: { cpu: 'string' },
  },
  connectGetStoragePoolCapabilities: { number: 403, args: { flags: 'u32' }, ret: { capabilities: 'string' } },
  connectGetCpuModelNames: {
    number: 312,
    args: { arch: 'string', needResults: 'i32', flags: 'u32' },
    ret: { models: 'string[8192]', ret: 'i32' },
  },
  connectDomainXmlFromNative: {
    number: 135,
    args: { nativeFormat: 'string', nativeConfig: 'string', flags: 'u32' },
    ret: { domainXml: 'string' },
  },
  connectDomainXmlToNative: {
    number: 136,
    args: { nativeFormat: 'string', domainXml: 'string', flags: 'u32' },
    ret: { nativeConfig: 'string' },
  },
  connectListAllDomains: {
    number: 273,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { domains: 'domain[16384]', ret: 'u32' },
  },
  connectListAllStoragePools: {
    number: 281,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { pools: 'pool[16384]', ret: 'u32' },
  },
  connectListAllNetworks: {
    number: 283,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { nets: 'network[16384]', ret: 'u32' },
  },
  connectNumOfDomains: { number: 51, args: {}, ret: { num: 'i32' } },
  connectNumOfDefinedDomains: { number: 25, args: {}, ret: { num: 'i32' } },
  connectGetAllDomainStats: {
    number: 344,
    args: { doms: 'domain[16384]', stats: 'u32', flags: 'u32' },
    ret: { retStats: 'domainStats[16384]' },
  },
} as const;
