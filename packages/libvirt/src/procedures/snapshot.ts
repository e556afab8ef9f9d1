/** Snapshots of domains. */
export const snapshotProcedures = {
  domainSnapshotCreateXml: {
    number: 185,
    args: { dom: 'domain', xmlDesc: 'string', flags: 'u32' },
    ret: { snap: 'snapshot' },
    slow: true,
  },
  domainSnapshotGetXmlDesc: { number: 186, args: { snap: 'snapshot', flags: 'u32' }, ret: { xml: 'string' } },
  domainSnapshotNum: { number: 187, args: { dom: 'domain', flags: 'u32' }, ret: { num: 'i32' } },
  domainSnapshotListNames: {
    number: 188,
    args: { dom: 'domain', maxnames: 'i32', flags: 'u32' },
    ret: { names: 'string[16384]' },
  },
  domainListAllSnapshots: {
    number: 274,
    args: { dom: 'domain', needResults: 'i32', flags: 'u32' },
    ret: { snapshots: 'snapshot[16384]', ret: 'i32' },
  },
  domainSnapshotListAllChildren: {
    number: 275,
    args: { snapshot: 'snapshot', needResults: 'i32', flags: 'u32' },
    ret: { snapshots: 'snapshot[16384]', ret: 'i32' },
  },
  domainSnapshotLookupByName: {
    number: 189,
    args: { dom: 'domain', name: 'string', flags: 'u32' },
    ret: { snap: 'snapshot' },
  },
  domainHasCurrentSnapshot: { number: 190, args: { dom: 'domain', flags: 'u32' }, ret: { result: 'i32' } },
  domainSnapshotCurrent: { number: 191, args: { dom: 'domain', flags: 'u32' }, ret: { snap: 'snapshot' } },
  domainSnapshotIsCurrent: { number: 271, args: { snap: 'snapshot', flags: 'u32' }, ret: { current: 'i32' } },
  domainSnapshotHasMetadata: { number: 272, args: { snap: 'snapshot', flags: 'u32' }, ret: { metadata: 'i32' } },
  domainSnapshotGetParent: { number: 244, args: { snap: 'snapshot', flags: 'u32' }, ret: { snap: 'snapshot' } },
  domainRevertToSnapshot: { number: 192, args: { snap: 'snapshot', flags: 'u32' }, ret: {}, slow: true },
  domainSnapshotDelete: { number: 193, args: { snap: 'snapshot', flags: 'u32' }, ret: {}, slow: true },
  domainSnapshotNumChildren: { number: 246, args: { snap: 'snapshot', flags: 'u32' }, ret: { num: 'i32' } },
  domainSnapshotListChildrenNames: {
    number: 247,
    args: { snap: 'snapshot', maxnames: 'i32', flags: 'u32' },
    ret: { names: 'string[16384]' },
  },
} as const;
