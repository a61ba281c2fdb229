import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import { createAuthority, issueServerCertificate } from '../../../host/certificates.ts';
import { manualClock } from '../../../host/clock.ts';
import { untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import { registryServices } from '../service-connection/service-resolver.ts';
import { admissionChain } from './chain.ts';
import { PolicySet } from './policy-set.ts';
import { registryFacts } from './registry-facts.ts';
import { denial, readAnswer, reviewOf } from './webhook-review.ts';
import { MUTATING, VALIDATING, WebhookSet } from './webhook-set.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const MWC = served(GROUP, 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false);
const VWC = served(GROUP, 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false);
const NAMESPACES = served('v1', 'namespaces', 'Namespace', false);
const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');
const SERVICES = served('v1', 'services', 'Service');
const ENDPOINTS = served('v1', 'endpoints', 'Endpoints');

type Review = {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly object: JsonObject; readonly name: string };
};
type Handler = (review: Review, path: string) => { readonly code?: number; readonly body?: unknown; readonly hang?: boolean };

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const allow =
  (response: object = {}): Handler =>
  ({ apiVersion, request }) => ({
    body: { apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: true, ...response } },
  });
const patched = (...patch: readonly object[]): Handler =>
  allow({ patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') });

async function serve(
  handler: Handler,
  host = 'localhost',
): Promise<{ readonly port: number; readonly caBundle: string; readonly calls: string[] }> {
  const authority = createAuthority(Date.now());
  const { cert, key } = issueServerCertificate(authority, [host], Date.now());
  const calls: string[] = [];
  const server: Server = createServer({ cert, key }, (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    request.on('end', () => {
      calls.push(request.url!);
      const { code = 200, body, hang } = handler(JSON.parse(text), request.url!);
      if (!hang) response.writeHead(code).end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as AddressInfo).port, caBundle: Buffer.from(authority.cert).toString('base64'), calls };
}

async function cluster() {
  const clock = manualClock();
  const registry = memoryRegistry({ resources: [MWC, VWC, NAMESPACES, CONFIG_MAPS, SERVICES, ENDPOINTS] });
  const policies = new PolicySet(registry);
  const ignored: string[] = [];
  let uids = 0;
  const webhookSets = [MUTATING, VALIDATING].map((kind) => new WebhookSet(registry, kind, () => policies.types));
  open.push(async () => {
    for (const set of webhookSets) set.close();
  });
  const [mutating, validating] = webhookSets.map((webhooks) => ({
    webhooks,
    facts: registryFacts(registry, undefined),
    resolve: registryServices(registry),
    clock,
    uuid: () => `uid-${++uids}`,
    onIgnored: (webhook: string, why: string) => ignored.push(`${webhook}: ${why}`),
  }));
  const chain = admissionChain([mutatingWebhooks(mutating!), validatingWebhooks(validating!)]);
  await registry.create(NAMESPACES, untyped({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', labels: { checked: 'yes' } } }));
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }];
  const configure = (type: typeof MWC, name: string, ...webhooks: object[]) =>
    registry.create(
      type,
      untyped({
        metadata: { name },
        webhooks: webhooks.map((each, i) => ({
          name: `${name}-${i}.example.com`,
          rules,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...each,
        })),
      }),
    );
  const asked = (more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
    operation: 'CREATE',
    type: CONFIG_MAPS,
    subresource: '',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    namespace: 'a',
    name: 'x',
    object: untyped({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'a', labels: { app: 'web' } } }),
    old: null,
    requester: { username: 'jane', groups: [] },
    options: {},
    dryRun: false,
    warn: () => {},
    ...more,
  });
  return { clock, registry, chain, configure, asked, ignored };
}

const at = ({ port, caBundle }: { readonly port: number; readonly caBundle: string }, path = '/') => ({
  clientConfig: { url: `https://localhost:${port}${path}`, caBundle },
});

describe('validatingWebhooks', () => {
  it('ask over HTTPS and take the answer', async () => {
    const { chain, configure, asked } = await cluster();
    const warnings: string[] = [];
    const server = await serve((review, path) =>
      path.startsWith('/deny')
        ? allow({ allowed: false, status: { message: 'not today', code: 403, reason: 'Forbidden' } })(review, path)
        : allow({ warnings: ['mind the gap'] })(review, path),
    );
    await configure(VWC, 'one', at(server, '/allow'));
    await chain.validate(asked({ warn: (text) => warnings.push(text) }));
    expect([warnings, server.calls]).toEqual([['mind the gap'], ['/allow?timeout=10s']]);
    await configure(VWC, 'two', at(server, '/deny'));
    await expect(chain.validate(asked())).rejects.toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'admission webhook "two-0.example.com" denied the request: not today',
    });
  });

  it.each<[string, object, number]>([
    ['rules', { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['*'] }] }, 0],
    ['a selector of namespaces', { namespaceSelector: { matchLabels: { checked: 'no' } } }, 0],
    ['a selector of namespaces that matches', { namespaceSelector: { matchLabels: { checked: 'yes' } } }, 1],
    ['a selector of objects', { objectSelector: { matchLabels: { app: 'db' } } }, 0],
    ['conditions', { matchConditions: [{ name: 'not-jane', expression: "request.userInfo.username != 'jane'" }] }, 0],
    ['conditions that hold', { matchConditions: [{ name: 'web', expression: "object.metadata.labels.app == 'web'" }] }, 1],
  ])('are called as their %s say', async (_, more, calls) => {
    const { chain, configure, asked } = await cluster();
    const server = await serve(allow());
    await configure(VWC, 'one', { ...at(server), ...more });
    await chain.validate(asked());
    expect(server.calls).toHaveLength(calls);
  });

  it.each<[string, Handler, string]>([
    ['an error', () => ({ code: 500 }), 'an error on the server (500) has prevented the request from succeeding'],
    ['no answer', () => ({ body: {} }), 'webhook response was absent'],
    ['an answer to another', allow({ uid: 'other' }), 'expected response.uid="uid-1", got "other"'],
    ['a patch', patched(), 'validating webhook may not return response.patch'],
  ])('that answer %s fail, and pass where they may', async (_, handler, message) => {
    const { chain, configure, asked, ignored } = await cluster();
    const server = await serve(handler);
    await configure(VWC, 'one', at(server));
    await expect(chain.validate(asked())).rejects.toMatchObject({ code: 500 });
    await expect(chain.validate(asked())).rejects.toThrow('failed calling webhook "one-0.example.com": failed to call webhook');
    const other = await cluster();
    await other.configure(VWC, 'one', { ...at(server), failurePolicy: 'Ignore' });
    await other.chain.validate(other.asked());
    expect(other.ignored[0]).toContain(message);
    expect(ignored).toEqual([]);
  });

  it('that take too long fail', async () => {
    const { clock, chain, configure, asked } = await cluster();
    const server = await serve(() => ({ hang: true }));
    await configure(VWC, 'slow', { ...at(server), timeoutSeconds: 3 });
    const result = expect(chain.validate(asked())).rejects.toThrow('context deadline exceeded');
    while (clock.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(3_000);
    await result;
  });

  it('of an authority that is not named are not believed', async () => {
    const { chain, configure, asked } = await cluster();
    const server = await serve(allow());
    const { caBundle } = await serve(allow());
    await configure(VWC, 'one', at({ port: server.port, caBundle }));
    await expect(chain.validate(asked())).rejects.toThrow(/certificate/);
  });

  it('behind a service are found by its endpoints', async () => {
    const { registry, chain, configure, asked } = await cluster();
    const server = await serve(allow(), 'hook.system.svc');
    const clientConfig = { service: { namespace: 'system', name: 'hook', path: '/check' }, caBundle: server.caBundle };
    await configure(VWC, 'one', { clientConfig });
    await expect(chain.validate(asked())).rejects.toThrow('service "hook" is not to be reached');
    const metadata = { name: 'hook', namespace: 'system' };
    await registry.create(SERVICES, untyped({ metadata, spec: { ports: [{ port: 443 }] } }));
    await registry.create(
      ENDPOINTS,
      untyped({ metadata, subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: server.port }] }] }),
    );
    await chain.validate(asked());
    expect(server.calls).toEqual(['/check?timeout=10s']);
  });

  it('with side effects are not asked about dry runs', async () => {
    const { chain, configure, asked } = await cluster();
    const server = await serve(allow());
    await configure(VWC, 'one', { ...at(server), sideEffects: 'Some' });
    await expect(chain.validate(asked({ dryRun: true }))).rejects.toMatchObject({
      code: 400,
      message: 'admission webhook "one-0.example.com" does not support dry run',
    });
    expect(server.calls).toEqual([]);
  });
});

describe('mutatingWebhooks', () => {
  const add = (key: string): Handler => patched({ op: 'add', path: `/metadata/labels/${key}`, value: 'yes' });

  it('change the object one after the other', async () => {
    const { chain, configure, asked } = await cluster();
    const seen: Json[] = [];
    const first = await serve(add('first'));
    const second = await serve((review, path) => {
      seen.push(review.request.object);
      return add('second')(review, path);
    });
    await configure(MWC, 'b', at(second));
    await configure(MWC, 'a', at(first));
    expect(await chain.mutate(asked())).toMatchObject({ metadata: { labels: { app: 'web', first: 'yes', second: 'yes' } } });
    expect(seen).toMatchObject([{ metadata: { labels: { first: 'yes' } } }]);
  });

  it('are called again where they ask for it and the object has changed since', async () => {
    const { chain, configure, asked } = await cluster();
    const first = await serve(allow());
    const never = await serve(allow());
    const last = await serve(add('last'));
    await configure(MWC, 'all', { ...at(first), reinvocationPolicy: 'IfNeeded' }, at(never), {
      ...at(last),
      reinvocationPolicy: 'IfNeeded',
    });
    await chain.mutate(asked());
    expect([first.calls.length, never.calls.length, last.calls.length]).toEqual([2, 1, 1]);
  });

  it('that make nonsense of the object fail', async () => {
    const { chain, configure, asked } = await cluster();
    const server = await serve(patched({ op: 'remove', path: '/nowhere' }));
    await configure(MWC, 'one', at(server));
    await expect(chain.mutate(asked())).rejects.toMatchObject({ code: 500 });
  });
});

describe('readAnswer', () => {
  const review = reviewOf({ uid: 'u' } as never, ['v9', 'v1']);
  const answer = (response: object) => ({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u', allowed: true, ...response },
  });
  it.each<[object, boolean, string]>([
    [{ patch: 'W10=' }, true, 'webhook returned response.patch but not response.patchType'],
    [{ patchType: 'JSONPatch' }, true, 'webhook returned response.patchType but not response.patch'],
    [{ patchType: '' }, true, 'webhook returned invalid response.patchType of ""'],
    [{ patchType: 'JSONPatch', patch: 'e30=' }, true, 'received undecodable patch'],
    [{ patchType: 'JSONPatch' }, false, 'validating webhook may not return response.patchType'],
  ])('of %j does not count', (response, mutating, message) => {
    expect(() => readAnswer(review, answer(response), mutating)).toThrow(message);
  });

  it('is of the version that was asked in', () => {
    expect(() => readAnswer(review, { ...answer({}), apiVersion: 'admission.k8s.io/v1beta1' }, false)).toThrow(
      'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview',
    );
    expect(() => reviewOf({ uid: 'u' } as never, ['v2'])).toThrow('does not accept known AdmissionReview versions');
  });
});

describe('denial', () => {
  it.each<[JsonObject, string, number]>([
    [{ message: 'no' }, 'denied the request: no', 400],
    [{ reason: 'Forbidden', code: 403 }, 'denied the request: Forbidden', 403],
    [{ code: 200 }, 'denied the request without explanation', 400],
    [{ code: 9999 }, 'denied the request without explanation', 400],
    [{ code: 422.5 }, 'denied the request without explanation', 400],
  ])('for %j', (status, message, code) => {
    expect(denial('w', status)).toMatchObject({ message: `admission webhook "w" ${message}`, code });
  });
});
