import * as libvirt from 'warmvm/kit/subjects/libvirt';
import { conformance } from './support/conformance.ts';

conformance({ title: 'the driver for libvirt keeps the contract', module: libvirt });

conformance({
  title: 'the driver for libvirt keeps the contract of resets through libvirt, whose daemon speaks to the agent',
  module: libvirt,
  options: { reset: 'revert', agentTransport: 'libvirt' },
  only: [
    'RESET-1',
    'RESET-2',
    'RESET-5',
    'RESET-10',
    'RESET-13',
    'GUEST',
    'CANCEL-6',
    'CANCEL-8',
    'DISPOSE-5',
    'ERROR-4',
    'ERROR-6',
  ],
});
