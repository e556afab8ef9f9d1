import * as ssh from '@warmvm/local-host/subjects/libvirt-ssh';
import { conformance } from './support/conformance.ts';

// The driver behind it is that of conformance-libvirt.e2e.ts, where the whole kit runs. What ssh adds is held here: how the host is lost and
// found again, and for each way that events and the news of a loss come through. The whole kit over each of the ways is a run for people
// (`pnpm kit --driver libvirt-ssh --option way=helper`); the last one is in docs/conformance.
conformance({
  title: 'the driver for libvirt over ssh keeps the contract (streamlocal)',
  module: ssh,
  only: [
    'MANIFEST-5',
    'STATE-2',
    'CONC-4',
    'DISPOSE-1',
    'DISPOSE-7',
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
    only: ['STATE-2', 'RECOVER-17'],
  });
}
