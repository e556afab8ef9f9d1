// Run by people, for it takes minutes: PROJECT manual of vitest. What CI runs of it is driver-libvirt-ssh-cuts.e2e.ts.
import { cutScenes } from './support/cut-scenes.ts';
import { CUTS } from './support/far-host.ts';

const STEPS = ['upload', 'boot', 'agent', 'warm-up', 'quiesce'] as const;
const MOMENTS_MS = [0, 50, 150, 300, 600];

for (const what of CUTS) {
  cutScenes(`a link that is cut by ${what}`, {
    // Writing a snapshot takes a second or two.
    prepare: [
      ...STEPS.map((step) => [step, what] as const),
      ...[0, 150, 400].map((ms) => ['snapshot', what, ms] as const),
    ],
    idle: [what],
    lease: [what],
    reset: MOMENTS_MS.map((afterMs) => [what, afterMs]),
    fork: MOMENTS_MS.map((afterMs) => [what, afterMs]),
  });
}
