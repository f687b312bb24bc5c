/**
 * Figures for Prometheus. Names end in their unit; labels have few values, never an id. What ends in `_total` only
 * grows and is a counter, everything else a gauge.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Log } from './log.ts';

export interface Metrics {
  contentType: string;
  /**
   * Adds figures that are read together whenever somebody asks; names without the prefix, `help` says what each is. A
   * read that fails leaves counters as they were and says NaN of gauges: the others are still told.
   */
  add<Name extends string>(help: Record<Name, string>, read: () => Promise<Record<Name, number>>): void;
  /** Everything, as it is now. */
  text(): Promise<string>;
}

/** Shows the total that was read; prom-client's own counters can only be added to. */
function createCounter(name: string, help: string, registry: Registry): (total: number) => void {
  const counter = new Counter({ name, help, registers: [registry] });
  return (total) => {
    if (Number.isNaN(total)) return;
    counter.reset();
    counter.inc(total);
  };
}

function createGauge(name: string, help: string, registry: Registry): (value: number) => void {
  const gauge = new Gauge({ name, help, registers: [registry] });
  return (value) => gauge.set(value);
}

export function createMetrics(deps: { log: Log }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'nacre_' });
  const readers: Array<() => Promise<void>> = [];
  return {
    contentType: registry.contentType,
    add<Name extends string>(help: Record<Name, string>, read: () => Promise<Record<Name, number>>) {
      const names = Object.keys(help) as Name[];
      const figures = names.map((name) => {
        const create = name.endsWith('_total') ? createCounter : createGauge;
        return { name, show: create(`nacre_${name}`, help[name], registry) };
      });
      readers.push(async () => {
        const values = await read().catch((error: unknown) => {
          deps.log.warn({ err: error, figures: names }, 'figures could not be read');
          return null;
        });
        for (const { name, show } of figures) show(values?.[name] ?? NaN);
      });
    },
    async text() {
      for (const read of readers) await read();
      return registry.metrics();
    },
  };
}
