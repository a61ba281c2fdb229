import type { AdmissionDecision, AdmissionPhase } from '../../engine/rules/admission/decision.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { healthRoutes } from '../host/health.ts';
import type { Exchange, Route } from '../host/http-exchange.ts';
import { type CloseOptions, type HttpLimits, httpServerMetrics, startHttpServer } from '../host/http-server.ts';
import { parseJsonBody } from '../host/json-body.ts';
import { boundLog, type Log, silentLog } from '../host/log.ts';
import { createMetrics, type Metrics } from '../host/metrics.ts';
import { processMetrics } from '../host/process-metrics.ts';
import { certificateExpiry, type TlsSource } from '../host/tls.ts';
import { decide } from './decide.ts';
import { FactError, type FactsSource, noFacts } from './facts.ts';
import { admissionMetrics, type FailureReason } from './metrics.ts';
import { writeResponse } from './response.ts';
import { InvalidReview, type Review, readReview } from './review.ts';
import { reviewDeadline } from './timeout.ts';

/** Paths of the webhooks. */
export interface AdmissionPaths {
  /** For a MutatingWebhookConfiguration: mutations only. */
  readonly mutate: string;
  /** For a ValidatingWebhookConfiguration: validations only, never a patch. */
  readonly validate: string;
  /** For a MutatingWebhookConfiguration that is to do both: mutations, then validations of the result. */
  readonly admit: string;
}

export const DEFAULT_ADMISSION_PATHS: AdmissionPaths = { mutate: '/mutate', validate: '/validate', admit: '/admit' };

export interface AdmissionServerOptions {
  readonly bundle: BundleSource;
  readonly tls: TlsSource;
  /** Default: {@link noFacts}. */
  readonly facts?: FactsSource;
  /** Address to listen on; default all. */
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly paths?: Partial<AdmissionPaths>;
  /** A second port, plain HTTP, for probes and metrics only; useful where clients must show a certificate. */
  readonly health?: { readonly host?: string; readonly port: number };
  readonly limits?: Partial<HttpLimits>;
  readonly metrics?: Metrics;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface AdmissionServer {
  readonly port: number;
  readonly healthPort?: number;
  readonly metrics: Metrics;
  /** Not ready at once; stops accepting after `delay`, finishes what is in flight. Leaves bundle, facts and TLS source to their owner. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Serves a bundle's admission rules to API servers: AdmissionReview v1 and v1beta1 over HTTPS.
 *
 * Whatever cannot be decided is answered with an HTTP status other than 2xx, which the API server treats as a failed
 * call and decides by the webhook's failure policy; nothing is ever allowed by mistake.
 */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const { bundle, tls, facts = noFacts, clock = systemClock } = options;
  const log = options.log === undefined ? silentLog : boundLog(options.log, { clock });
  const metrics = options.metrics ?? createMetrics();
  const counted = admissionMetrics(metrics);
  const http = httpServerMetrics(metrics);
  const paths: AdmissionPaths = { ...DEFAULT_ADMISSION_PATHS, ...options.paths };

  function fail(exchange: Exchange, phase: AdmissionPhase, status: number, reason: FailureReason, message: string): undefined {
    counted.failed(phase, reason);
    log(status >= 500 ? 'error' : 'warn', 'review not answered', { phase, reason, status, error: message });
    exchange.respond(status, 'text/plain; charset=utf-8', `${message}\n`);
  }

  function answer(exchange: Exchange, phase: AdmissionPhase, review: Review, decision: AdmissionDecision): undefined {
    exchange.respond(200, 'application/json', writeResponse(review, decision, phase === 'validate' ? 'no-patch' : 'patch'));
    counted.reviewed(phase, review.request.operation, decision, (clock.elapsed() - exchange.startedAt) / 1000);
    if (!decision.allowed) logDenial(log, phase, review, decision);
  }

  function handle(exchange: Exchange, phase: AdmissionPhase): undefined | Promise<void> {
    const active = bundle.current();
    if (active === undefined) return fail(exchange, phase, 503, 'no-bundle', 'no rules are loaded');
    let body: unknown;
    try {
      body = parseJsonBody(exchange.body);
    } catch (error) {
      return fail(exchange, phase, 400, 'json', (error as Error).message);
    }
    let review: Review;
    try {
      review = readReview(body);
    } catch (error) {
      if (error instanceof InvalidReview) return fail(exchange, phase, 400, 'review', error.message);
      throw error;
    }
    const deadline = exchange.startedAt + reviewDeadline(exchange.query);
    if (clock.elapsed() >= deadline) return fail(exchange, phase, 504, 'deadline', 'the deadline of the request has passed');

    const program = active.program.admission;
    const first = program.admit(review.request, facts.known, { phase });
    if (first.kind === 'decision') return answer(exchange, phase, review, first.decision);
    return handleWithFacts(exchange, phase, review, deadline, program);
  }

  async function handleWithFacts(
    exchange: Exchange,
    phase: AdmissionPhase,
    review: Review,
    deadline: number,
    program: Parameters<typeof decide>[0],
  ): Promise<void> {
    const controller = new AbortController();
    const started = clock.elapsed();
    const timer = clock.after(deadline - started, () => controller.abort());
    exchange.onAbort(() => controller.abort());
    try {
      const decision = await decide(program, review.request, facts, { phase }, controller.signal);
      counted.factsFetched((clock.elapsed() - started) / 1000);
      answer(exchange, phase, review, decision);
    } catch (error) {
      if (!(error instanceof FactError)) throw error;
      if (controller.signal.aborted)
        fail(exchange, phase, 504, 'deadline', 'the deadline of the request has passed while facts were fetched');
      else fail(exchange, phase, 500, 'facts', error.message);
    } finally {
      timer.cancel();
    }
  }

  const route = (phase: AdmissionPhase): Route => ({
    method: 'POST',
    contentType: 'application/json',
    handle: (exchange) => handle(exchange, phase),
  });
  const notReady = (): string | undefined => {
    if (server?.isDraining()) return 'shutting down';
    return bundle.current() === undefined ? 'no rules are loaded' : undefined;
  };
  const health = healthRoutes({ notReady, metrics });
  const expiry = metrics.gauge({
    name: 'fairlead_tls_certificate_expiry_timestamp_seconds',
    help: 'When the server certificate in use ends.',
  });
  metrics.beforeText(() => expiry.set(certificateExpiry(tls.current()) / 1000));

  const server = await startHttpServer({
    tls,
    routes: new Map([[paths.mutate, route('mutate')], [paths.validate, route('validate')], [paths.admit, route('all')], ...health]),
    onRefused: http.onRefused,
    clock,
    log,
    port: options.port ?? 0,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  http.watch(server);
  const stopProcessMetrics = processMetrics(metrics);
  let healthServer: Awaited<ReturnType<typeof startHttpServer>> | undefined;
  if (options.health !== undefined) {
    try {
      healthServer = await startHttpServer({ routes: health, onRefused: http.onRefused, clock, log, ...options.health });
    } catch (error) {
      await server.close({ grace: 0 });
      stopProcessMetrics();
      throw error;
    }
  }

  return {
    port: server.port,
    metrics,
    ...(healthServer === undefined ? {} : { healthPort: healthServer.port }),
    async close(how) {
      await server.close(how);
      await healthServer?.close(how?.grace === undefined ? {} : { grace: how.grace });
      stopProcessMetrics();
    },
  };
}

/** Names only: a rule's message may quote the object. */
function logDenial(log: Log, phase: AdmissionPhase, review: Review, decision: AdmissionDecision): void {
  const { request } = review;
  const by = decision.outcomes.find((outcome) => outcome.result === 'deny' || outcome.result === 'error');
  log('info', 'denied', {
    phase,
    uid: request.uid,
    operation: request.operation,
    resource: request.resource.group === '' ? request.resource.resource : `${request.resource.resource}.${request.resource.group}`,
    subResource: request.subResource,
    namespace: request.namespace,
    name: request.name,
    user: request.userInfo.username,
    dryRun: request.dryRun,
    rule: by?.rule,
    binding: by?.binding,
    result: by?.result,
    code: decision.status?.code,
  });
}
