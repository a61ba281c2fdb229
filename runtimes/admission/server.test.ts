import { afterEach, describe, expect, it } from 'vitest';
import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import type { AdmissionRequest } from '../../engine/rules/admission/decision.ts';
import { type BundleSource, fixedBundle } from '../host/bundle-watch.ts';
import { manualClock } from '../host/clock.ts';
import type { LogFields } from '../host/log.ts';
import { authority, call, loopbackTls, rawConnection } from '../host/loopback.fixture.ts';
import { noFacts } from './facts.ts';
import { bundleOf, decisionOf, reviewOf } from './review.fixture.ts';
import { type AdmissionServer, type AdmissionServerOptions, startAdmissionServer } from './server.ts';

const ca = authority.cert;
const servers: AdmissionServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ grace: 0 })));
});

const denied = { message: 'no', reason: 'Invalid', code: 422 };

/** Denies objects named `bad`, labels the others when it may mutate. */
const rules = bundleOf((request, _, { phase }) => {
  const outcomes = [{ ruleKind: 'AdmissionRule', rule: 'by-hand', result: 'deny' as const, message: 'secret of the object' }];
  if (phase !== 'mutate' && request.name === 'bad') return decisionOf({ allowed: false, status: denied, outcomes, warnings: ['w'] });
  const patch = phase === 'validate' ? [] : ([{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }] as const);
  return decisionOf({ object: request.object!, patch });
});

async function start(options: Partial<AdmissionServerOptions> = {}, bundle: CompiledBundle = rules) {
  const lines: [string, string, LogFields | undefined][] = [];
  const server = await startAdmissionServer({
    bundle: fixedBundle(bundle),
    tls: loopbackTls(),
    host: '127.0.0.1',
    log: (level, message, fields) => lines.push([level, message, fields]),
    ...options,
  });
  servers.push(server);
  const post = async (path: string, body: unknown) => {
    const answer = await call({ port: server.port, ca, path, body: typeof body === 'string' ? body : JSON.stringify(body) });
    return {
      status: answer.status,
      text: answer.text,
      response: answer.status === 200 ? (JSON.parse(answer.text).response as Record<string, unknown>) : {},
    };
  };
  return { server, port: server.port, post, lines };
}

describe('the webhooks', () => {
  it('mutate, validate, or both, by path', async () => {
    const { post } = await start();
    expect((await post('/mutate?timeout=10s', reviewOf())).response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    expect((await post('/mutate', reviewOf({ name: 'bad' }))).response).toMatchObject({ allowed: true });
    expect((await post('/validate', reviewOf())).response).toEqual({ uid: reviewOf().request.uid, allowed: true });
    expect((await post('/validate', reviewOf({ name: 'bad' }))).response).toMatchObject({
      allowed: false,
      status: denied,
      warnings: ['w'],
    });
    expect((await post('/admit', reviewOf())).response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    expect((await post('/admit', reviewOf({ name: 'bad' }))).response).toMatchObject({ allowed: false });
  });

  it('may be at other paths', async () => {
    const { post } = await start({ paths: { validate: '/hooks/v' } });
    expect((await post('/hooks/v', reviewOf())).status).toBe(200);
    expect((await post('/validate', reviewOf())).status).toBe(404);
  });

  it('decide a dry run as any other request', async () => {
    const { post } = await start();
    expect((await post('/validate', reviewOf({ name: 'bad', dryRun: true }))).response).toMatchObject({ allowed: false });
  });

  it('take two objects of three mebibytes', async () => {
    const { post } = await start();
    const object = { data: 'x'.repeat(3 * 1024 * 1024) };
    expect((await post('/validate', reviewOf({ operation: 'UPDATE', object, oldObject: object }))).response).toMatchObject({
      allowed: true,
    });
  });

  it('give the program integers beyond 2^53 as they are', async () => {
    let seen: unknown;
    const { post } = await start(
      {},
      bundleOf((request) => {
        seen = request.object!['n'];
        return decisionOf();
      }),
    );
    await post('/validate', JSON.stringify(reviewOf({ object: { n: 0 } })).replace('"n":0', '"n":9007199254740993'));
    expect(seen).toBe(9007199254740993n);
  });
});

describe('what cannot be decided is an error to the API server, never an answer', () => {
  it.each([
    ['no JSON', '{"kind":', 400, 'the body is not valid JSON\n'],
    ['an empty body', '', 400, 'the body is not valid JSON\n'],
    ['a truncated review', JSON.stringify(reviewOf()).slice(0, -20), 400, 'the body is not valid JSON\n'],
    ['another kind', '{"kind":"Pod","apiVersion":"v1"}', 400, 'kind must be "AdmissionReview", found "Pod"\n'],
    ['an unknown version', JSON.stringify(reviewOf({}, 'admission.k8s.io/v3')), 400, 'apiVersion must be'],
    ['no uid', JSON.stringify(reviewOf({ uid: '' })), 400, 'request.uid'],
    ['endless nesting', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, 400, 'the body must be an object, found a list\n'],
    [
      'a deeply nested object',
      JSON.stringify(reviewOf()).replace('"object":{', `"object":{"deep":${'['.repeat(50_000)}${']'.repeat(50_000)},`),
      400,
      'request.object is nested more than 512 levels deep\n',
    ],
    ['a prototype for a review', '{"__proto__":{"kind":"AdmissionReview"}}', 400, 'kind must be "AdmissionReview", found nothing\n'],
  ])('%s', async (_, body, status, message) => {
    const { post, server } = await start();
    const answer = await post('/validate', body);
    expect(answer.status).toBe(status);
    expect(answer.text.startsWith(message.trimEnd())).toBe(true);
    expect(server.metrics.text()).toMatch(/fairlead_admission_failures_total\{phase="validate",reason="(json|review)"\} 1/);
  });

  it('a program that throws', async () => {
    const { post, lines } = await start(
      {},
      bundleOf(() => {
        throw new RangeError('Maximum call stack size exceeded');
      }),
    );
    expect(await post('/validate', reviewOf())).toMatchObject({ status: 500, text: 'internal error\n' });
    expect(lines).toHaveLength(1);
  });

  it('no rules', async () => {
    const bundle: BundleSource = { current: () => undefined };
    const { post, port } = await start({ bundle });
    expect((await post('/validate', reviewOf())).status).toBe(503);
    expect(await call({ port, ca, path: '/readyz' })).toMatchObject({ status: 503, text: 'not ready: no rules are loaded\n' });
    expect((await call({ port, ca, path: '/livez' })).status).toBe(200);
  });

  const needy = bundleOf((_, facts) => {
    const namespace = facts.namespace('shop');
    return namespace === undefined
      ? { kind: 'needs', needs: [{ kind: 'namespace', name: 'shop' }] }
      : decisionOf({ warnings: [JSON.stringify(namespace)] });
  });

  it('facts that nobody can give', async () => {
    const { post } = await start({}, needy);
    expect(await post('/validate', reviewOf())).toMatchObject({ status: 500, text: 'namespace shop is not known\n' });
    const { post: fetched } = await start({ facts: { ...noFacts, namespace: async () => ({ a: 1 }) } }, needy);
    expect((await fetched('/validate', reviewOf())).response['warnings']).toEqual(['{"a":1}']);
  });

  it('facts that do not come before the deadline of the call', async () => {
    const clock = manualClock();
    let asked = (): void => {};
    const fetching = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const facts = {
      ...noFacts,
      namespace: (_: string, signal: AbortSignal): Promise<never> => {
        asked();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
      },
    };
    const { post, server } = await start({ clock, facts }, needy);
    const answer = post('/validate?timeout=2s', reviewOf());
    await fetching;
    clock.advance(1899);
    clock.advance(1);
    expect(await answer).toMatchObject({ status: 504, text: expect.stringContaining('deadline') });
    expect(server.metrics.text()).toContain('reason="deadline"} 1');
    expect(clock.pending()).toBe(0);
  });

  it('a body that came after the deadline', async () => {
    const clock = manualClock();
    let decided = 0;
    const { port } = await start(
      { clock },
      bundleOf(() => {
        decided++;
        return decisionOf();
      }),
    );
    const body = JSON.stringify(reviewOf());
    const { socket, received } = await rawConnection(port, ca);
    socket.write(
      `POST /validate?timeout=1s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await call({ port, ca, path: '/livez' });
    clock.advance(1000);
    socket.write(body);
    expect(await received).toMatch(/^HTTP\/1\.1 504 /);
    expect(decided).toBe(0);
  });
});

describe('what it tells', () => {
  it('counts decisions, outcomes of rules and times', async () => {
    const { post, server } = await start();
    await post('/validate', reviewOf({ name: 'bad' }));
    await post('/mutate', reviewOf());
    const text = server.metrics.text();
    for (const line of [
      'fairlead_admission_requests_total{phase="validate",operation="CREATE",decision="deny"} 1',
      'fairlead_admission_requests_total{phase="mutate",operation="CREATE",decision="allow"} 1',
      'fairlead_admission_patches_total{phase="mutate"} 1',
      'fairlead_admission_rule_outcomes_total{kind="AdmissionRule",rule="by-hand",result="deny"} 1',
      'fairlead_admission_duration_seconds_count{phase="validate"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^fairlead_tls_certificate_expiry_timestamp_seconds \d{10}$/m);
  });

  it('logs a denial with names, and nothing of the object', async () => {
    const { post, lines } = await start();
    await post('/validate', reviewOf({ name: 'bad', object: { data: 'secret of the object' } }));
    expect(lines).toEqual([
      [
        'info',
        'denied',
        expect.objectContaining({
          uid: reviewOf().request.uid,
          resource: 'pods',
          name: 'bad',
          namespace: 'shop',
          user: 'ann',
          rule: 'by-hand',
          code: 422,
        }),
      ],
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('bounds its log under a flood of bad requests', async () => {
    const { post, lines } = await start();
    await Promise.all(Array.from({ length: 60 }, () => post('/validate', '{')));
    expect(lines.length).toBeLessThan(30);
  });

  it('answers probes and metrics on a plain port, too', async () => {
    const { server } = await start({ health: { host: '127.0.0.1', port: 0 } });
    const port = server.healthPort!;
    expect(await call({ port, path: '/readyz' })).toMatchObject({ status: 200, text: 'ok\n' });
    expect((await call({ port, path: '/metrics' })).headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await call({ port, path: '/validate', body: '{}' })).status).toBe(404);
  });
});

describe('while it serves', () => {
  it('takes a new bundle and a new certificate without a failed or a mixed answer', async () => {
    const versions = ['1', '2'].map((version) =>
      bundleOf((request: AdmissionRequest) => decisionOf({ warnings: [version, request.name!] })),
    );
    let generation = 1;
    const bundle: BundleSource = {
      current: () => {
        const compiled = versions[generation % 2]!;
        return { bundle: compiled, program: compiled.program!, generation, since: 0 };
      },
    };
    const tls = loopbackTls();
    const { post } = await start({ bundle, tls });
    let served = 0;
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let i = 0; i < 40; i++) {
          const name = `${worker}-${i}`;
          const { response } = await post('/validate', reviewOf({ name }));
          expect(response).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/^[12]$/), name] });
          if (++served % 20 === 0) generation++;
          if (served % 50 === 0) tls.replace(loopbackTls().current());
        }
      }),
    );
    expect({ served, generation }).toEqual({ served: 320, generation: 17 });
  });

  it('is not ready once it closes, and finishes what is in flight', async () => {
    const clock = manualClock();
    const { server, port } = await start({ clock, health: { host: '127.0.0.1', port: 0 } });
    const closed = server.close({ delay: 1000 });
    expect(await call({ port: server.healthPort!, path: '/readyz' })).toMatchObject({ status: 503, text: 'not ready: shutting down\n' });
    expect((await call({ port, ca, path: '/validate', body: JSON.stringify(reviewOf()) })).status).toBe(200);
    clock.advance(1000);
    await closed;
  });
});
