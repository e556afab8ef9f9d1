/** Calls about the host itself. */
export const nodeProcedures = {
  nodeGetInfo: {
    number: 6,
    args: {},
    ret: {
      model: 'i8{32}',
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
} as const;
