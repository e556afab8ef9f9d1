import * as qemu from 'warmvm/kit/subjects/qemu';
import { conformance } from './support/conformance.ts';

conformance({ title: 'the driver for QEMU keeps the contract', module: qemu });
