import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import type { LogFields } from '../host/log.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { requiredAccess, rolesFor } from './access.ts';
import { changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { conditionOf, configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

const STATE = 'state';

describe('a controller with an account of its own', () => {
  let cluster: TestCluster;
  const clients: KubernetesClient[] = [];
  beforeAll(async () => {
    cluster = await startTestCluster();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: STATE } });
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  afterAll(async () => {
    await cluster.close();
    for (const client of clients) client.close();
  });

  /** As the service account of this name. */
  function connectAs(account: string): KubernetesClient {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${STATE}`, 'system:authenticated'];
    const impersonate = { user: `system:serviceaccount:${STATE}:${account}`, groups };
    const client = createKubernetesClient({ connection: { ...urlConnection(cluster.server.url), impersonate } });
    clients.push(client);
    return client;
  }

  /** Allows an account what a bundle needs; `without`: verb and resource that are left out. */
  async function allow(account: string, bundle: BundleSource, without?: readonly [verb: string, resource: string]): Promise<void> {
    const resourceOf = (apiVersion: string, kind: string): string | undefined => cluster.client.discovery.known(apiVersion, kind)?.resource;
    const needed = requiredAccess(bundle.current()!.program.reconcile, resourceOf, { namespace: STATE }).map((each) =>
      each.resource === without?.[1] && each.namespace === undefined
        ? { ...each, verbs: each.verbs.filter((verb) => verb !== without[0]) }
        : each,
    );
    for (const role of rolesFor(needed, account)) {
      const { apiVersion, kind, metadata } = role as JsonObject & { readonly apiVersion: string };
      await cluster.create(role);
      await cluster.create({
        apiVersion,
        kind: `${String(kind)}Binding`,
        metadata: metadata ?? {},
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: kind ?? '', name: account },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: STATE }],
      });
    }
  }

  it('needs nothing but what is printed', async () => {
    const body = `
generate: [{ id: password, random: { length: 8 } }]
objects:
- { id: settings, external: { apiVersion: v1, kind: ConfigMap, name: settings, optional: true } }
- { id: mark, patch: { apiVersion: v1, kind: Namespace, metadata: { name: "\${self.metadata.namespace}", annotations: { "example.com/a": b } } } }
- { id: far, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: far, namespace: default } } }${configMapEntry('near')}
deletion: { policy: Delete }`;
    const bundle = changingBundle(ruleFor('Exact', body));
    await allow('exact', bundle);
    const complaints: string[] = [];
    const log = (level: string, message: string, fields?: LogFields): void => {
      if (level === 'warn' || level === 'error') complaints.push(`${message} ${JSON.stringify(fields)}`);
    };
    const controller = await cluster.control(bundle, {
      client: connectAs('exact'),
      namespace: STATE,
      name: 'exact',
      leaderElection: true,
      log,
    });
    const instance = await createInstance(cluster, instanceOf('Exact', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    await controller.idle();
    expect(controller.status()).toMatchObject({ leading: true, missingAccess: [], unreachable: [] });
    await cluster.remove(`${GROUP}/v1`, 'Exact', 'shop', 'a');
    await cluster.until(async () => (await cluster.get('v1', 'ConfigMap', 'default', 'far')) === null);
    await cluster.until(async () => (await cluster.get(`${GROUP}/v1`, 'Exact', 'shop', 'a')) === null);
    expect(complaints).toEqual([]);
    await controller.stop();
  });

  it('names what it is not allowed, before and where it is missed, and goes on once it is', async () => {
    const bundle = changingBundle(ruleFor('Barred', `objects: ${configMapEntry('copy')}`));
    await allow('barred', bundle, ['create', 'configmaps']);
    const controller = await cluster.control(bundle, { client: connectAs('barred'), namespace: STATE, name: 'barred' });
    const instance = await createInstance(cluster, instanceOf('Barred', 'shop'));
    const failed = await untilCondition(cluster, instance, 'Ready', { status: 'False', reason: 'Forbidden' });
    expect(conditionOf(failed, 'Ready')?.message).toMatch(
      /^apply ConfigMap shop\/a-copy: .*User "system:serviceaccount:state:barred" cannot create resource "configmaps" in API group "" in the namespace "shop"/,
    );
    await cluster.until(async () => controller.status().missingAccess.length > 0);
    expect(controller.status().missingAccess).toEqual(['cannot create configmaps in the cluster: needed for rule barred makes ConfigMap']);
    const [role] = rolesFor(
      requiredAccess(bundle.current()!.program.reconcile, () => undefined, { namespace: STATE }),
      'barred',
    );
    await cluster.merge('rbac.authorization.k8s.io/v1', 'ClusterRole', undefined, 'barred', { rules: role!['rules']! });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
  });

  it('says so when its credentials are no longer accepted, and goes on once they are', async () => {
    await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: STATE, name: 'revoked' } });
    const bundle = changingBundle(ruleFor('Revoked', `objects: ${configMapEntry('kept')}`));
    await allow('revoked', bundle);
    const newToken = async (): Promise<string> => {
      const path = `/api/v1/namespaces/${STATE}/serviceaccounts/revoked/token`;
      const { body } = await cluster.client.request({ method: 'POST', path, body: { spec: {} } });
      return ((body as JsonObject)['status'] as { readonly token: string }).token;
    };
    let token = await newToken();
    const client = createKubernetesClient({
      connection: {
        ...urlConnection(cluster.server.url),
        credentials: { current: async () => ({ authorization: `Bearer ${token}` }), refresh: () => false },
      },
    });
    clients.push(client);
    const controller = await cluster.control(bundle, { client, namespace: STATE, name: 'revoked' });
    const instance = await createInstance(cluster, instanceOf('Revoked', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    // With the account, its tokens go.
    await cluster.remove('v1', 'ServiceAccount', STATE, 'revoked');
    await cluster.merge(`${GROUP}/v1`, 'Revoked', 'shop', 'a', { spec: { value: 'y' } });
    await cluster.until(async () => controller.notReady() !== undefined);
    expect(controller.notReady()).toContain('Unauthorized');
    await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: STATE, name: 'revoked' } });
    token = await newToken();
    await cluster.until(async () => controller.notReady() === undefined);
  });
});
