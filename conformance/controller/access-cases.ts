import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../engine/object/json.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { commandRunner } from '../../runtimes/cli/run.fixture.ts';
import { startController } from '../../runtimes/controller/controller.ts';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import type { CaseResult } from '../suite.ts';
import { LIBRARY, type LibraryBundle, ROOT, served } from './library.ts';
import { conditionOf, type Person } from './person.ts';
import type { ControlledServer } from './servers.ts';

const NAMESPACE = 'fairlead-system';
const ACCOUNT = 'fairlead-controller';

/** Gives a service account exactly what `--print-rbac` prints for the library. Answers a client that has no other rights. */
export async function asServiceAccount(server: ControlledServer, admin: Person): Promise<KubernetesClient> {
  const run = commandRunner(() => ROOT);
  const { code, out, err } = await run(`serve ${LIBRARY} --print-rbac ${NAMESPACE}/${ACCOUNT}`);
  if (code !== 0) throw new Error(err);
  await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (const { value } of parseYaml({ name: 'roles.yaml', text: out }).documents) await admin.create(value as JsonObject);
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${ACCOUNT}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
  const answer = (await admin.client.request({ method: 'POST', path, body })).body as { readonly status: { readonly token: string } };
  return server.connect(answer.status.token);
}

/** One verb less, and the message that names it: at the start, and on the instance. */
export async function withoutOneVerb(
  server: ControlledServer,
  admin: Person,
  client: KubernetesClient,
  bundles: readonly LibraryBundle[],
): Promise<CaseResult> {
  const name = `${server.name}, a verb that is missing is named`;
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: ACCOUNT };
  const found = (await admin.get(role))!;
  const rules = (found['rules'] as readonly JsonObject[]).map((rule) => {
    const isDeployments = (rule['resources'] as readonly string[]).includes('deployments');
    return isDeployments ? { ...rule, verbs: (rule['verbs'] as readonly string[]).filter((verb) => verb !== 'patch') } : rule;
  });
  await admin.merge(role, { rules });
  const app = { apiVersion: 'apps.example.com/v1alpha1', kind: 'MyApp', namespace: 'shop', name: 'refused' };
  const controller = await startController({ client, bundle: served(bundles), leaderElection: false });
  try {
    // A server takes a moment to know.
    await delay(500);
    await admin.create({
      apiVersion: app.apiVersion,
      kind: app.kind,
      metadata: { name: app.name, namespace: app.namespace },
      spec: { image: 'a' },
    });
    await admin.whenever(
      app,
      (object) => {
        const ready = conditionOf(object, 'Ready');
        return (
          ready?.['reason'] === 'Forbidden' &&
          /cannot (patch|create) resource "deployments" in API group "apps"/.test(String(ready['message']))
        );
      },
      20_000,
    );
    const missing = await admin.until('what is missing', async () => {
      const { missingAccess } = controller.status();
      return missingAccess.length > 0 ? missingAccess : undefined;
    });
    const expected = /^cannot patch deployments\.apps in the cluster: needed for rule \S+ makes Deployment/;
    if (missing.length === 1 && expected.test(missing[0]!)) return { name, outcome: 'passed' };
    return { name, outcome: 'failed', reason: `expected only ${expected}; found ${missing.join('\n')}` };
  } catch (error) {
    return { name, outcome: 'failed', reason: String(error) };
  } finally {
    await controller.stop();
  }
}
