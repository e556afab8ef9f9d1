import { slowResets } from '@warmvm/bench/fixtures/slowed-driver.ts';
import { systemClock } from '@warmvm/core';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { kitSubject as openQemu } from 'warmvm/kit/subjects/qemu';

/** How many times as long resets take: `WARMVM_PLANTED_FACTOR`. @default 1, nothing is planted */
const factor = Number(process.env.WARMVM_PLANTED_FACTOR ?? 1);

/** Machines of QEMU whose resets are as slow as somebody planted. */
export async function kitSubject(request: SubjectRequest): Promise<OpenSubject> {
  const subject = await openQemu(request);
  if (factor === 1) return subject;
  return { ...subject, create: async () => slowResets(await subject.create(), factor, systemClock) };
}
