/** Secrets that the daemon keeps, such as pass phrases of volumes. */
export const secretProcedures = {
  connectListAllSecrets: {
    number: 287,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { secrets: 'secret[16384]', ret: 'u32' },
  },
  connectNumOfSecrets: { number: 139, args: {}, ret: { num: 'i32' } },
  connectListSecrets: { number: 140, args: { maxuuids: 'i32' }, ret: { uuids: 'string[16384]' } },
  secretLookupByUuid: { number: 141, args: { uuid: 'uuid' }, ret: { secret: 'secret' } },
  secretLookupByUsage: { number: 147, args: { usageType: 'i32', usageID: 'string' }, ret: { secret: 'secret' } },
  secretDefineXml: { number: 142, args: { xml: 'string', flags: 'u32' }, ret: { secret: 'secret' } },
  secretGetXmlDesc: { number: 143, args: { secret: 'secret', flags: 'u32' }, ret: { xml: 'string' } },
  secretSetValue: { number: 144, args: { secret: 'secret', value: 'bytes<=65536', flags: 'u32' }, ret: {} },
  secretGetValue: { number: 145, args: { secret: 'secret', flags: 'u32' }, ret: { value: 'bytes<=65536' } },
  secretUndefine: { number: 146, args: { secret: 'secret' }, ret: {} },
} as const;
