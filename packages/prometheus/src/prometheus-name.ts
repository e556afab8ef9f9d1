import type { PoolMetric } from '@warmvm/core';

/** Name under which Prometheus gets a metric, by OpenTelemetry's rules. */
export function prometheusName(name: string, { kind, unit }: Pick<PoolMetric, 'kind' | 'unit'>): string {
  return `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`;
}
