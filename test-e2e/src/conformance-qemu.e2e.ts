import * as qemu from '@warmvm/local-host/subjects/qemu';
import { conformance } from './support/conformance.ts';

conformance({ title: 'the driver for QEMU keeps the contract', module: qemu });
