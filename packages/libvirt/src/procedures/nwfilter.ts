/** Packet filters, and which ports they are bound to. */
export const nwfilterProcedures = {
  connectListAllNwfilters: {
    number: 286,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { filters: 'nwfilter[16384]', ret: 'u32' },
  },
  connectNumOfNwfilters: { number: 178, args: {}, ret: { num: 'i32' } },
  connectListNwfilters: { number: 179, args: { maxnames: 'i32' }, ret: { names: 'string[16384]' } },
  nwfilterLookupByName: { number: 175, args: { name: 'string' }, ret: { nwfilter: 'nwfilter' } },
  nwfilterLookupByUuid: { number: 176, args: { uuid: 'uuid' }, ret: { nwfilter: 'nwfilter' } },
  nwfilterGetXmlDesc: { number: 177, args: { nwfilter: 'nwfilter', flags: 'u32' }, ret: { xml: 'string' } },
  nwfilterDefineXml: { number: 180, args: { xml: 'string' }, ret: { nwfilter: 'nwfilter' } },
  nwfilterDefineXmlFlags: { number: 431, args: { xml: 'string', flags: 'u32' }, ret: { nwfilter: 'nwfilter' } },
  nwfilterUndefine: { number: 181, args: { nwfilter: 'nwfilter' }, ret: {} },
  connectListAllNwfilterBindings: {
    number: 401,
    args: { needResults: 'i32', flags: 'u32' },
    ret: { bindings: 'nwfilterBinding[16384]', ret: 'u32' },
  },
  nwfilterBindingLookupByPortDev: {
    number: 397,
    args: { name: 'string' },
    ret: { nwfilterBinding: 'nwfilterBinding' },
  },
  nwfilterBindingGetXmlDesc: {
    number: 398,
    args: { nwfilterBinding: 'nwfilterBinding', flags: 'u32' },
    ret: { xml: 'string' },
  },
  nwfilterBindingCreateXml: {
    number: 399,
    args: { xml: 'string', flags: 'u32' },
    ret: { nwfilterBinding: 'nwfilterBinding' },
  },
  nwfilterBindingDelete: { number: 400, args: { nwfilterBinding: 'nwfilterBinding' }, ret: {} },
} as const;
