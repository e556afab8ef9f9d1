/** Network interfaces of the host. */
export const hostInterfaceProcedures = {
  connectListAllInterfaces: {
    number: 284,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { ifaces: 'hostInterface[16384]', ret: 'u32' },
  },
  connectNumOfInterfaces: { number: 126, args: {}, ret: { num: 'i32' } },
  connectListInterfaces: { number: 127, args: { maxnames: 'i32' }, ret: { names: 'string[16384]' } },
  connectNumOfDefinedInterfaces: { number: 137, args: {}, ret: { num: 'i32' } },
  connectListDefinedInterfaces: { number: 138, args: { maxnames: 'i32' }, ret: { names: 'string[16384]' } },
  interfaceLookupByName: { number: 128, args: { name: 'string' }, ret: { iface: 'hostInterface' } },
  interfaceLookupByMacString: { number: 129, args: { mac: 'string' }, ret: { iface: 'hostInterface' } },
  interfaceGetXmlDesc: { number: 130, args: { iface: 'hostInterface', flags: 'u32' }, ret: { xml: 'string' } },
  interfaceDefineXml: { number: 131, args: { xml: 'string', flags: 'u32' }, ret: { iface: 'hostInterface' } },
  interfaceUndefine: { number: 132, args: { iface: 'hostInterface' }, ret: {} },
  interfaceCreate: { number: 133, args: { iface: 'hostInterface', flags: 'u32' }, ret: {}, slow: true },
  interfaceDestroy: { number: 134, args: { iface: 'hostInterface', flags: 'u32' }, ret: {}, slow: true },
  interfaceIsActive: { number: 156, args: { iface: 'hostInterface' }, ret: { active: 'i32' } },
  interfaceChangeBegin: { number: 220, args: { flags: 'u32' }, ret: {} },
  interfaceChangeCommit: { number: 221, args: { flags: 'u32' }, ret: {} },
  interfaceChangeRollback: { number: 222, args: { flags: 'u32' }, ret: {} },
} as const;
