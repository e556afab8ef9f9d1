/** Storage volumes. */
export const storageVolumeProcedures = {
  storageVolCreateXml: {
    number: 93,
    args: { pool: 'pool', xml: 'string', flags: 'u32' },
    ret: { vol: 'volume' },
    slow: true,
  },
  storageVolDelete: { number: 94, args: { vol: 'volume', flags: 'u32' }, ret: {}, slow: true },
  storageVolLookupByName: { number: 95, args: { pool: 'pool', name: 'string' }, ret: { vol: 'volume' } },
  storageVolLookupByKey: { number: 96, args: { key: 'string' }, ret: { vol: 'volume' } },
  storageVolLookupByPath: { number: 97, args: { path: 'string' }, ret: { vol: 'volume' } },
  storageVolGetInfo: { number: 98, args: { vol: 'volume' }, ret: { type: 'i8', capacity: 'u64', allocation: 'u64' } },
  storageVolGetXmlDesc: { number: 99, args: { vol: 'volume', flags: 'u32' }, ret: { xml: 'string' } },
  storageVolGetPath: { number: 100, args: { vol: 'volume' }, ret: { name: 'string' } },
  storageVolCreateXmlFrom: {
    number: 125,
    args: { pool: 'pool', xml: 'string', clonevol: 'volume', flags: 'u32' },
    ret: { vol: 'volume' },
    slow: true,
  },
  storageVolWipe: { number: 165, args: { vol: 'volume', flags: 'u32' }, ret: {}, slow: true },
  storageVolUpload: {
    number: 208,
    args: { vol: 'volume', offset: 'u64', length: 'u64', flags: 'u32' },
    ret: {},
    stream: 'write',
    sparse: true,
  },
  storageVolDownload: {
    number: 209,
    args: { vol: 'volume', offset: 'u64', length: 'u64', flags: 'u32' },
    ret: {},
    stream: 'read',
    sparse: true,
  },
  storageVolWipePattern: { number: 259, args: { vol: 'volume', algorithm: 'u32', flags: 'u32' }, ret: {}, slow: true },
  storageVolResize: { number: 260, args: { vol: 'volume', capacity: 'u64', flags: 'u32' }, ret: {}, slow: true },
  storageVolGetInfoFlags: {
    number: 378,
    args: { vol: 'volume', flags: 'u32' },
    ret: { type: 'i8', capacity: 'u64', allocation: 'u64' },
  },
} as const;
