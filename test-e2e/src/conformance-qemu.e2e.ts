import * as qemu from '@warmvm/local-host/subjects/qemu';
import { conformance } from './support/conformance.ts';

conformance({ title: 'the driver for QEMU keeps the contract', module: qemu });

// Where this computer is of arm64, that was it.
if (process.arch === 'x64') {
  conformance({
    title: 'the driver for QEMU keeps the contract with guests of arm64',
    module: qemu,
    options: { architecture: 'aarch64' },
  });
}
