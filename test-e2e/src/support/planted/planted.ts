import { slowResets } from '@warmvm/bench/fixtures/slowed-driver.ts';
import { systemClock } from '@warmvm/core';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { kitSubject as openQemu } from '@warmvm/local-host/subjects/qemu';

/** Machines of QEMU whose resets take that many times as long. */
export async function planted(request: SubjectRequest, factor: number): Promise<OpenSubject> {
  const subject = await openQemu(request);
  return { ...subject, create: async () => slowResets(await subject.create(), factor, systemClock) };
}
