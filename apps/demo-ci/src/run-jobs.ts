import type { Job } from './job.ts';
import type { JobReport } from './report.ts';
import { type JobScene, runJob } from './run-job.ts';

/**
 * Runs jobs in their order, as many at once as the pool has machines at most: so whoever waits for a machine waits for a reset alone, and
 * the pool's own time limit is that of a machine and not of the jobs before.
 * @returns the reports, in the order of the jobs
 * @throws the signal's reason, when every job has ended
 */
export async function runJobs(jobs: readonly Job[], scene: JobScene): Promise<readonly JobReport[]> {
  const reports: JobReport[] = [];
  const queue = jobs.entries();
  const lane = async (): Promise<void> => {
    for (const [index, job] of queue) reports[index] = await runJob(job, scene);
  };
  const lanes = Array.from({ length: Math.min(jobs.length, scene.pool.stats().max) }, lane);
  const failed = (await Promise.allSettled(lanes)).find((ended) => ended.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return reports;
}
