import type { KitReport, KitResult } from '@warmvm/driver-testkit';
import { duration } from '../start/report.ts';

const LABELS: Readonly<Record<KitResult['result'], string>> = {
  passed: 'ok     ',
  failed: 'FAILED ',
  'not-applicable': '-      ',
};

/** One case for people: what it is, how it ended, and why it did not run or what was wrong. */
export function resultLine({ id, title, result, durationMs, reason, error }: KitResult): string {
  const line = `${LABELS[result]} ${id.padEnd(20)} ${title}`;
  if (result === 'not-applicable') return `${line}: not run, ${reason}`;
  const timed = `${line} (${duration(durationMs)})`;
  return error === undefined ? timed : `${timed}\n${error.replaceAll(/^/gm, '          ')}`;
}

/** The sum of a run. */
export function closingWords({ driver, driverVersion, host, results, leftBehind, durationMs }: KitReport): string {
  const count = (wanted: KitResult['result']): number => results.filter(({ result }) => result === wanted).length;
  const reasons = Map.groupBy(
    results.filter(({ result }) => result === 'not-applicable'),
    ({ reason }) => reason ?? 'no reason given',
  );
  const where = host === undefined ? 'a host that did not report itself' : `${host.hypervisor} (${host.acceleration})`;
  return [
    '',
    `${driver}${driverVersion === undefined ? '' : ` ${driverVersion}`} on ${where}`,
    `${count('passed')} passed, ${count('failed')} failed, ${count('not-applicable')} not run; ${duration(durationMs)}`,
    ...[...reasons].map(([reason, cases]) => `  not run, ${reason}: ${cases.map(({ id }) => id).join(', ')}`),
    ...(leftBehind.length === 0 ? [] : [`LEFT BEHIND: ${leftBehind.join(', ')}`]),
  ].join('\n');
}
