import { readFileSync } from 'node:fs';
import type { DriverCapabilities } from '@warmvm/core/driver';

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
  readonly capabilities: DriverCapabilities;
  readonly results: readonly KitResult[];
}

/** Version of this package. */
export function kitVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
