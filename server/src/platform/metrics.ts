/** Figures for Prometheus. Names end in their unit; labels have few values, never an id. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface Metrics {
  contentType: string;
  /** Adds figures that are read together whenever somebody asks; names without the prefix, `help` says what each is. */
  add<Name extends string>(help: Record<Name, string>, read: () => Promise<Record<Name, number>>): void;
  /** Everything, as it is now. */
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'nacre_' });
  const readers: Array<() => Promise<void>> = [];
  return {
    contentType: registry.contentType,
    add(help, read) {
      const names = Object.keys(help) as Array<keyof typeof help>;
      const gauges = names.map((name) => (
        { name, gauge: new Gauge({ name: `nacre_${name}`, help: help[name], registers: [registry] }) }
      ));
      readers.push(async () => {
        const values = await read();
        for (const { name, gauge } of gauges) gauge.set(values[name]);
      });
    },
    async text() {
      for (const read of readers) await read();
      return registry.metrics();
    },
  };
}
