/** Virtual networks; read-only on purpose. */
export const networkProcedures = {
  networkLookupByName: { number: 46, args: { name: 'string' }, ret: { net: 'network' } },
  networkLookupByUuid: { number: 47, args: { uuid: 'uuid' }, ret: { net: 'network' } },
  networkGetXmlDesc: { number: 43, args: { net: 'network', flags: 'u32' }, ret: { xml: 'string' } },
  networkGetBridgeName: { number: 45, args: { net: 'network' }, ret: { name: 'string' } },
  networkGetAutostart: { number: 44, args: { net: 'network' }, ret: { autostart: 'i32' } },
  networkIsActive: { number: 152, args: { net: 'network' }, ret: { active: 'i32' } },
  networkIsPersistent: { number: 153, args: { net: 'network' }, ret: { persistent: 'i32' } },
  networkGetDhcpLeases: {
    number: 341,
    args: { net: 'network', mac: 'string?', needResults: 'i32', flags: 'u32' },
    ret: { leases: 'dhcpLease[65536]', ret: 'u32' },
  },
} as const;
