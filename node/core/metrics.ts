import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric's name starts with this. */
export const METRIC_PREFIX = 'postrider_'

/** Labels that would grow without bound or name a person; a metric that asks for one is refused. */
const FORBIDDEN_LABELS: ReadonlySet<string> = new Set([
  'peer',
  'peer_id',
  'address',
  'channel',
  'hash',
  'payer',
])

/** Seconds; covers 1 ms database writes and 30 s transactions. */
const DEFAULT_BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]

type MetricOptions<L extends string> = { help: string; labels?: readonly L[] }

/** Metrics of one node. The registry belongs to the instance, so that two nodes in one process do not mix. */
export type Metrics = {
  /** A count that only grows; name it `…_total`. */
  counter<L extends string = never>(name: string, options: MetricOptions<L>): Counter<L>
  /** A value that goes up and down; `collect` may set it just before it is read. */
  gauge<L extends string = never>(
    name: string,
    options: MetricOptions<L> & { collect?(gauge: Gauge<L>): void | Promise<void> },
  ): Gauge<L>
  /** A distribution; name it with its unit, for example `…_seconds`. */
  histogram<L extends string = never>(
    name: string,
    options: MetricOptions<L> & { buckets?: number[] },
  ): Histogram<L>
  /** Counts one error in `postrider_error_total{code}`. */
  error(code: ErrorCode): void
  /** Everything in the Prometheus text format. */
  text(): Promise<string>
  contentType: string
}

/** @param options.process also collect the process's own figures (CPU, memory, event loop lag) */
export function createMetrics(options: { process?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX })
  const errors = new Counter({
    name: `${METRIC_PREFIX}error_total`,
    help: 'Errors by code; docs/errors.md explains each',
    labelNames: ['code'],
    registers: [registry],
  })

  const common = <L extends string>(name: string, metric: MetricOptions<L>) => {
    const forbidden = metric.labels?.find((label) => FORBIDDEN_LABELS.has(label))
    if (forbidden) throw new PostriderError('CORE_METRIC_LABEL', { detail: `${name}{${forbidden}}` })
    return {
      name: METRIC_PREFIX + name,
      help: metric.help,
      labelNames: metric.labels ?? [],
      registers: [registry],
    }
  }

  return {
    counter: (name, metric) => new Counter(common(name, metric)),
    gauge(name, metric) {
      const { collect } = metric
      const gauge: Gauge<NonNullable<typeof metric.labels>[number]> = new Gauge({
        ...common(name, metric),
        ...(collect ? { collect: () => collect(gauge) } : {}),
      })
      return gauge
    },
    histogram: (name, metric) =>
      new Histogram({ ...common(name, metric), buckets: metric.buckets ?? DEFAULT_BUCKETS }),
    error: (code) => errors.inc({ code }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
