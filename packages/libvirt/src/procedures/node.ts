/** Calls about the host itself. */
export const nodeProcedures = {
  nodeGetInfo: {
    number: 6,
    args: {},
    ret: {
      model: 'chars{32}',
      memory: 'u64',
      cpus: 'i32',
      mhz: 'i32',
      nodes: 'i32',
      sockets: 'i32',
      cores: 'i32',
      threads: 'i32',
    },
  },
  nodeGetFreeMemory: { number: 102, args: {}, ret: { freeMem: 'u64' } },
  nodeGetCellsFreeMemory: { number: 101, args: { startCell: 'i32', maxcells: 'i32' }, ret: { cells: 'u64[1024]' } },
  nodeGetCpuStats: {
    number: 227,
    args: { cpuNum: 'i32', nparams: 'i32', flags: 'u32' },
    ret: { params: 'nodeStat[16]', nparams: 'i32' },
  },
  nodeGetMemoryStats: {
    number: 228,
    args: { nparams: 'i32', cellNum: 'i32', flags: 'u32' },
    ret: { params: 'nodeStat[16]', nparams: 'i32' },
  },
  nodeGetCpuMap: {
    number: 293,
    args: { needMap: 'i32', needOnline: 'i32', flags: 'u32' },
    ret: { cpumap: 'bytes<=2048', online: 'u32', ret: 'i32' },
  },
  nodeGetFreePages: {
    number: 340,
    args: { pages: 'u32[1024]', startCell: 'i32', cellCount: 'u32', flags: 'u32' },
    ret: { counts: 'u64[1024]' },
  },
  nodeGetMemoryParameters: {
    number: 289,
    args: { nparams: 'i32', flags: 'u32' },
    ret: { params: 'param[64]', nparams: 'i32' },
  },
  nodeSetMemoryParameters: { number: 288, args: { params: 'param[64]', flags: 'u32' }, ret: {} },
  nodeGetSecurityModel: { number: 122, args: {}, ret: { model: 'chars[257]', doi: 'chars[257]' } },
  nodeGetSevInfo: { number: 395, args: { nparams: 'i32', flags: 'u32' }, ret: { params: 'param[64]', nparams: 'i32' } },
  nodeSuspendForDuration: { number: 250, args: { target: 'u32', duration: 'u64', flags: 'u32' }, ret: {} },
  nodeAllocPages: {
    number: 347,
    args: { pageSizes: 'u32[1024]', pageCounts: 'u64[1024]', startCell: 'i32', cellCount: 'u32', flags: 'u32' },
    ret: { ret: 'i32' },
    slow: true,
  },
} as const;
