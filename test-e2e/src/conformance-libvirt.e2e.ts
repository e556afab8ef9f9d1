import * as libvirt from '@warmvm/local-host/subjects/libvirt';
import { conformance } from './support/conformance.ts';

conformance({ title: 'the driver for libvirt keeps the contract', module: libvirt });

// What the other ways to reset and to reach the agent change; the rest is the same code.
conformance({
  title: 'the driver for libvirt keeps the contract with resets through libvirt and an agent that its daemon speaks to',
  module: libvirt,
  options: { reset: 'revert', agentTransport: 'libvirt' },
  lanes: 1,
  only: ['RESET-1', 'RESET-2', 'RESET-5', 'RESET-10', 'GUEST-3', 'GUEST-6', 'CANCEL-6', 'CANCEL-8', 'ERROR-4'],
});
