/** Figures for Prometheus. Names end in their unit; labels have few values, never an id. */
import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'nacre_' });
  return registry;
}
