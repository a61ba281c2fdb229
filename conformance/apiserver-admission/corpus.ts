import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type AdmissionCase, type Draft, type PolicyDraft, RESOURCES, type RequestDraft } from './case.ts';

/** Parts of a Kyverno policy that mean the same in a policy of Kubernetes. */
const SHARED_FIELDS = ['matchConstraints', 'matchConditions', 'variables', 'failurePolicy', 'validations', 'auditAnnotations', 'mutations'];

/**
 * Cases from a corpus of Kyverno's CEL policies: each policy as one of Kubernetes, the resources beside it as requests. Kinds that no
 * plain API server has are left out. What a policy says of pods holds for pods only: the extension to their controllers is Kyverno's.
 */
export function corpusCases(folder: string, name: string): AdmissionCase[] {
  const cases: AdmissionCase[] = [];
  for (const policyFolder of policyFolders(folder)) {
    const documents = yamlFiles(policyFolder).flatMap((file) => readDocuments(file));
    const requests = documents.flatMap((document, index) => requestOf(document, index));
    for (const document of documents) {
      const policy = policyOf(document);
      if (policy === undefined) continue;
      const title = `${name}/${relative(folder, policyFolder)}/${String((document['metadata'] as Draft)['name'])}`;
      const clusterScoped = requests.some((request) => !RESOURCES[request.resource]!.namespaced);
      cases.push({ name: title, policies: [policy], requests, clusterScoped });
    }
  }
  return cases;
}

/** `<category>/<policy>`. */
function policyFolders(folder: string): string[] {
  const subfolders = (parent: string): string[] =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => join(parent, entry.name))
      .sort();
  return subfolders(folder).flatMap(subfolders);
}

/** The policies in the folder, the resources in the hidden folders below. */
function yamlFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function readDocuments(file: string): Draft[] {
  return parseYaml({ name: file, text: readFileSync(file, 'utf8') }).documents.flatMap(({ value }) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? [value as Draft] : [],
  );
}

function policyOf(document: Draft): PolicyDraft | undefined {
  if (!String(document['apiVersion']).startsWith('policies.kyverno.io/')) return undefined;
  const given = document['spec'] as Draft;
  const spec = Object.fromEntries(Object.entries(given).filter(([key]) => SHARED_FIELDS.includes(key)));
  if (document['kind'] === 'ValidatingPolicy') {
    return { kind: 'ValidatingAdmissionPolicy', spec, bindings: [{ validationActions: ['Deny'] }] };
  }
  if (document['kind'] !== 'MutatingPolicy') return undefined;
  return { kind: 'MutatingAdmissionPolicy', spec: { ...spec, reinvocationPolicy: 'Never' }, bindings: [{}] };
}

function requestOf(document: Draft, index: number): RequestDraft[] {
  const found = Object.entries(RESOURCES).find(([, each]) => each.apiVersion === document['apiVersion'] && each.kind === document['kind']);
  if (found === undefined) return [];
  const { apiVersion: _, kind, ...object } = document;
  const name = (object['metadata'] as Draft | undefined)?.['name'];
  return [{ name: `${index} ${String(kind)} ${String(name)}`, resource: found[0], verb: 'create', object }];
}
