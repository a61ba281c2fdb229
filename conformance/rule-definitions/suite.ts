import { compileBundle } from '../../engine/bundle/compile.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual } from '../../engine/object/json.ts';
import { renderDiagnostic } from '../../engine/text/render.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import type { ApiClient, ApiResponse } from '../cluster/client.ts';
import { startCluster } from '../cluster/cluster.ts';
import { type GraphDefinition, graphDefinitions } from '../kro/definitions.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { DEFINITION_CASES, type DefinitionCase } from './rules.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export const suite: Suite = {
  name: 'rule-definitions',
  description: 'CustomResourceDefinitions that rules make: kube-apiserver accepts them, and validates as the short schema says',
  async *run(context) {
    const cluster = await startCluster({ log: (line) => context.log(line), signal: context.signal });
    try {
      for (const each of DEFINITION_CASES) yield await judge(each, cluster.admin);
      for (const each of graphDefinitions(context.corpus('kro-examples'))) {
        const result = await judgeGraph(each, cluster.admin);
        if (result !== undefined) yield result;
      }
    } finally {
      await cluster.stop();
    }
  },
};

/** The definition of a kro example that compiles must be accepted. */
async function judgeGraph({ name, document }: GraphDefinition, admin: ApiClient): Promise<CaseResult | undefined> {
  const definition = compileBundle([document]).program?.reconcile.rules[0]?.definition;
  if (definition === undefined) return undefined;
  // Several examples make the same kind.
  const created = await admin.request({ method: 'POST', path: CRDS, query: { dryRun: 'All' }, body: definition });
  return created.status === 201 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: messageOf(created) };
}

async function judge(each: DefinitionCase, admin: ApiClient): Promise<CaseResult> {
  const { name } = each;
  const failed = (reason: string): CaseResult => ({ name, outcome: 'failed', reason });
  const compiled = compileBundle(parseYaml({ name: `${name}.yaml`, text: each.rule }).documents);
  const definition = compiled.program?.reconcile.rules[0]?.definition;
  if (definition === undefined) return failed(compiled.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join('\n'));
  const created = await admin.request({ method: 'POST', path: CRDS, body: definition });
  if (created.status !== 201) return failed(messageOf(created));
  const plural = String(field(definition, 'spec', 'names', 'plural'));
  const kind = String(field(definition, 'spec', 'names', 'kind'));
  const scope = field(definition, 'spec', 'scope') === 'Cluster' ? '' : 'namespaces/default/';
  const path = `/apis/definitions.example.com/v1alpha1/${scope}${plural}`;
  await established(admin, `${CRDS}/${plural}.definitions.example.com`, path);
  const object = (spec: unknown, named = 'x') => ({
    apiVersion: 'definitions.example.com/v1alpha1',
    kind,
    metadata: { name: named },
    spec,
  });
  const problems: string[] = [];
  const made = await admin.request({ method: 'POST', path, body: object(each.accepted) });
  if (made.status !== 201) problems.push(`expected the object to be accepted: ${messageOf(made)}`);
  else {
    const read = (await admin.expect({ path: `${path}/x` })).body as JsonObject;
    if (each.stored !== undefined && !jsonEqual(read['spec'], each.stored as Json))
      problems.push(`stored as ${JSON.stringify(read['spec'])}`);
    const ready = field(read, 'status', 'conditions', 0);
    if (!isJsonObject(ready) || ready['type'] !== 'Ready' || ready['status'] !== 'Unknown')
      problems.push('a fresh object is not told from a ready one');
    if (each.change !== undefined) {
      const changed = await admin.request({
        method: 'PATCH',
        path: `${path}/x`,
        contentType: 'application/merge-patch+json',
        body: { spec: each.change.spec },
      });
      if (changed.status !== 422 || !messageOf(changed).includes(each.change.message)) problems.push(`changed: ${messageOf(changed)}`);
    }
  }
  for (const { spec, message } of each.refused ?? []) {
    const refused = await admin.request({ method: 'POST', path, body: object(spec, 'y') });
    if (refused.status !== 422 || !messageOf(refused).includes(message)) {
      problems.push(`expected ${JSON.stringify(spec)} to be refused with ${message}, found ${refused.status} ${messageOf(refused)}`);
    }
  }
  await admin.expect({ method: 'DELETE', path: `${CRDS}/${plural}.definitions.example.com` });
  return problems.length === 0 ? { name, outcome: 'passed' } : failed(problems.join('\n'));
}

const ATTEMPTS = 100;

/** Waits until the resource is served; asking again is the only way to know. */
async function established(admin: ApiClient, definition: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { body } = await admin.expect({ path: definition });
    const conditions = field(body as Json, 'status', 'conditions');
    const served =
      Array.isArray(conditions) &&
      conditions.some((each: Json) => isJsonObject(each) && each['type'] === 'Established' && each['status'] === 'True');
    if (served && (await admin.request({ path })).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${path} is not served`);
}

function messageOf({ status, body }: ApiResponse): string {
  return isJsonObject(body) && typeof body['message'] === 'string' ? body['message'] : `status ${status}`;
}

function field(value: Json, ...path: readonly (string | number)[]): Json | undefined {
  let found: Json | undefined = value;
  for (const segment of path)
    found = typeof found === 'object' && found !== null ? (found as Record<string | number, Json>)[segment] : undefined;
  return found;
}
