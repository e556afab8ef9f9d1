/** Backups of domains, and the checkpoints that incremental ones start from. */
export const backupProcedures = {
  domainBackupBegin: {
    number: 421,
    args: { dom: 'domain', backupXml: 'string', checkpointXml: 'string?', flags: 'u32' },
    ret: {},
    slow: true,
  },
  domainBackupGetXmlDesc: { number: 422, args: { dom: 'domain', flags: 'u32' }, ret: { xml: 'string' } },
  domainCheckpointCreateXml: {
    number: 411,
    args: { dom: 'domain', xmlDesc: 'string', flags: 'u32' },
    ret: { checkpoint: 'checkpoint' },
    slow: true,
  },
  domainCheckpointGetXmlDesc: { number: 412, args: { checkpoint: 'checkpoint', flags: 'u32' }, ret: { xml: 'string' } },
  domainListAllCheckpoints: {
    number: 413,
    args: { dom: 'domain', needResults: 'i32', flags: 'u32' },
    ret: { checkpoints: 'checkpoint[16384]', ret: 'i32' },
  },
  domainCheckpointListAllChildren: {
    number: 414,
    args: { checkpoint: 'checkpoint', needResults: 'i32', flags: 'u32' },
    ret: { checkpoints: 'checkpoint[16384]', ret: 'i32' },
  },
  domainCheckpointLookupByName: {
    number: 415,
    args: { dom: 'domain', name: 'string', flags: 'u32' },
    ret: { checkpoint: 'checkpoint' },
  },
  domainCheckpointGetParent: {
    number: 416,
    args: { checkpoint: 'checkpoint', flags: 'u32' },
    ret: { parent: 'checkpoint' },
  },
  domainCheckpointDelete: { number: 417, args: { checkpoint: 'checkpoint', flags: 'u32' }, ret: {}, slow: true },
} as const;
