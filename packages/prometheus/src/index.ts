/**
 * Metrics of warmvm pools in a prom-client registry, and a handler for /metrics.
 *
 * @packageDocumentation
 */
export { type MetricsHandler, metricsHandler } from './metrics-handler.ts';
export { prometheusMeter } from './prometheus-meter.ts';
