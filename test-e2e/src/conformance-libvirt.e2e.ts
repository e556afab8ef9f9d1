import * as libvirt from 'warmvm/kit/subjects/libvirt';
import { conformance } from './support/conformance.ts';

conformance({
  title: 'the driver for libvirt keeps the contract',
  module: libvirt,
  only: ['MANIFEST', 'LIFE', 'FORK', 'RESET', 'GUEST', 'CONC-4', 'DISPOSE-1', 'RECOVER-17'],
});
