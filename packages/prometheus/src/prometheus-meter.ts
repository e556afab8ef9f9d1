import { type GaugeCallback, type Meter, type MeterAttributes, POOL_METRICS, type PoolMetric } from '@warmvm/core';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { prometheusName } from './prometheus-name.ts';

/** What prom-client makes one metric of. */
interface Configuration {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
  readonly buckets?: number[];
}

/** Several pools write to one registry, where every name may be taken once. */
const meters = new WeakMap<Registry, Meter>();

const plans: ReadonlyMap<string, PoolMetric> = new Map(Object.entries(POOL_METRICS));

/** @throws RangeError for a name that no pool uses: its labels are unknown, and prom-client wants them in advance */
function configurationOf(name: string, register: Registry): Configuration {
  const plan = plans.get(name);
  if (plan === undefined) {
    throw new RangeError(`${name} is no metric of a pool; expected one of POOL_METRICS of @warmvm/core.`);
  }
  return {
    name: prometheusName(name, plan),
    help: plan.description,
    labelNames: Object.keys(plan.attributes).map(labelOf),
    registers: [register],
    ...(plan.boundaries === undefined ? {} : { buckets: [...plan.boundaries] }),
  };
}

function labelOf(attribute: string): string {
  return attribute.replaceAll('.', '_');
}

function labelsOf(attributes: MeterAttributes = {}): Record<string, string | number> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [labelOf(key), String(value)]));
}

class PrometheusMeter implements Meter {
  readonly #register: Registry;
  readonly #made = new Map<string, unknown>();

  constructor(register: Registry) {
    this.#register = register;
  }

  createCounter(name: string): ReturnType<Meter['createCounter']> {
    return this.#once(name, (configuration) => {
      const counter = new Counter(configuration);
      return { add: (value, attributes) => counter.inc(labelsOf(attributes), value) };
    });
  }

  createHistogram(name: string): ReturnType<Meter['createHistogram']> {
    return this.#once(name, (configuration) => {
      const histogram = new Histogram(configuration);
      return { record: (value, attributes) => histogram.observe(labelsOf(attributes), value) };
    });
  }

  createObservableGauge(name: string): ReturnType<Meter['createObservableGauge']> {
    return this.#once(name, (configuration) => {
      const callbacks = new Set<GaugeCallback>();
      const gauge = new Gauge({
        ...configuration,
        collect(): void {
          // A host or pool that is gone must not go on with the last thing that was known of it.
          gauge.reset();
          const observe = (value: number, attributes?: MeterAttributes): void => gauge.set(labelsOf(attributes), value);
          for (const callback of callbacks) callback({ observe });
        },
      });
      return {
        addCallback: (callback) => void callbacks.add(callback),
        removeCallback: (callback) => void callbacks.delete(callback),
      };
    });
  }

  #once<Instrument>(name: string, make: (configuration: Configuration) => Instrument): Instrument {
    const known = this.#made.get(name) as Instrument | undefined;
    if (known !== undefined) return known;
    const made = make(configurationOf(name, this.#register));
    this.#made.set(name, made);
    return made;
  }
}

/**
 * A meter for `createPool({ meter })` that fills a registry of prom-client. Any number of pools may share a registry: the
 * label `pool` tells them apart.
 * @throws Error of prom-client, from createPool, when something else has taken one of the names in the registry
 */
export function prometheusMeter(register: Registry): Meter {
  const known = meters.get(register);
  if (known !== undefined) return known;
  const made = new PrometheusMeter(register);
  meters.set(register, made);
  return made;
}
