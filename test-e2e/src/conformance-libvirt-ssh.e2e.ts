import * as ssh from 'warmvm/kit/subjects/libvirt-ssh';
import { conformance } from './support/conformance.ts';

conformance({
  title: 'the driver for libvirt over ssh keeps the contract (streamlocal)',
  module: ssh,
  only: [
    'MANIFEST',
    'LIFE',
    'FORK',
    'GUEST',
    'CONC-4',
    'DISPOSE-1',
    'RECOVER-15',
    'RECOVER-16',
    'RECOVER-17',
    'RECOVER-18',
  ],
});

for (const way of ['helper', 'netcat']) {
  conformance({
    title: `the driver for libvirt over ssh keeps the contract (${way})`,
    module: ssh,
    options: { way },
    // What the way itself carries: calls, events, uploads and lines to guests, and its loss.
    only: ['MANIFEST-5', 'LIFE-2', 'FORK-3', 'RESET-1', 'STATE-2', 'GUEST-3', 'DISPOSE-7', 'RECOVER-17'],
  });
}
