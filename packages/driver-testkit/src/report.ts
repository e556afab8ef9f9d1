import { readFileSync } from 'node:fs';
import type { DriverCapabilities, HostReport } from '@warmvm/core/driver';

/** How one case ended. */
export interface KitResult {
  readonly id: string;
  readonly clause: string;
  readonly title: string;
  readonly result: 'passed' | 'failed' | 'not-applicable';
  /** Why it does not apply. */
  readonly reason?: string;
  readonly durationMs: number;
  /** What was wrong, in a few lines. */
  readonly error?: string;
}

/** How a driver did; plain data, to be kept as `report.json`. */
export interface KitReport {
  /** Version of this shape. */
  readonly schema: 1;
  readonly kitVersion: string;
  /** Name of the subject. */
  readonly driver: string;
  /** Version of the driver's package, where the subject names it. */
  readonly driverVersion?: string;
  readonly capabilities: DriverCapabilities;
  /** What the driver says of its host; missing when it could not say. */
  readonly host?: HostReport;
  readonly node: string;
  /** UTC, as ISO 8601. */
  readonly startedAt: string;
  /** Of the whole run. */
  readonly durationMs: number;
  /** In the order of the kit. */
  readonly results: readonly KitResult[];
  /** Objects on the host that were not there before, where the subject can see them. */
  readonly leftBehind: readonly string[];
}

/** Whether nothing failed and nothing was left behind. Cases that do not apply are no failure; a run without any case is. */
export function isConformant({ results, leftBehind }: Pick<KitReport, 'results' | 'leftBehind'>): boolean {
  const isProof = results.some(({ result }) => result === 'passed');
  return isProof && leftBehind.length === 0 && results.every(({ result }) => result !== 'failed');
}

/** Version of this package. */
export function kitVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
