import type { Route } from './http-exchange.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from './metrics.ts';

export interface HealthOptions {
  /** Why the server is not ready to be asked, or undefined when it is. */
  readonly notReady: () => string | undefined;
  readonly metrics: Metrics;
}

/** `/healthz` and `/livez` (the process answers), `/readyz` (it can do its work), `/metrics`. */
export function healthRoutes(options: HealthOptions): ReadonlyMap<string, Route> {
  const text = 'text/plain; charset=utf-8';
  const alive: Route = {
    method: 'GET',
    handle(exchange) {
      exchange.respond(200, text, 'ok\n');
    },
  };
  const ready: Route = {
    method: 'GET',
    handle(exchange) {
      const reason = options.notReady();
      if (reason === undefined) exchange.respond(200, text, 'ok\n');
      else exchange.respond(503, text, `not ready: ${reason}\n`);
    },
  };
  const metrics: Route = {
    method: 'GET',
    handle(exchange) {
      exchange.respond(200, METRICS_CONTENT_TYPE, options.metrics.text());
    },
  };
  return new Map([
    ['/healthz', alive],
    ['/livez', alive],
    ['/readyz', ready],
    ['/metrics', metrics],
  ]);
}
