import type { AdmissionFacts, Json, JsonObject } from '../../engine/rules/admission/decision.ts';

/** What is recorded is all there is: whatever is not among the objects does not exist. */
export interface RecordedFactsOptions {
  /** Namespaces that nothing is recorded of exist, with the label Kubernetes gives each. Default: true. */
  readonly assumeNamespaces?: boolean;
}

const field = (object: Json | undefined, key: string): Json | undefined =>
  typeof object === 'object' && object !== null && !Array.isArray(object) && Object.hasOwn(object, key)
    ? (object as JsonObject)[key]
    : undefined;

const text = (object: Json | undefined, key: string): string => {
  const value = field(object, key);
  return typeof value === 'string' ? value : '';
};

/** The facts that a set of Kubernetes objects answers: namespaces and objects by name, lists by label, SubjectAccessReviews by their `spec`. */
export function recordedFacts(objects: readonly JsonObject[], { assumeNamespaces = true }: RecordedFactsOptions = {}): AdmissionFacts {
  const byName = new Map<string, JsonObject>();
  const byKind = new Map<string, JsonObject[]>();
  const reviews: JsonObject[] = [];
  for (const object of objects) {
    const kind = kindKey(text(object, 'apiVersion'), text(object, 'kind'));
    if (text(object, 'kind') === 'SubjectAccessReview') {
      reviews.push(object);
      continue;
    }
    const metadata = field(object, 'metadata');
    byName.set(nameKey(kind, text(metadata, 'namespace'), text(metadata, 'name')), object);
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [object]);
    else list.push(object);
  }
  return {
    namespace(name) {
      const found = byName.get(nameKey('v1/Namespace', '', name));
      if (found !== undefined || !assumeNamespaces) return found ?? null;
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } };
    },
    object: ({ apiVersion, kind, namespace, name }) => byName.get(nameKey(kindKey(apiVersion, kind), namespace ?? '', name)) ?? null,
    list({ apiVersion, kind, namespace, labelSelector }) {
      const matches = parseLabelSelector(labelSelector ?? '');
      return (byKind.get(kindKey(apiVersion, kind)) ?? []).filter((object) => {
        const metadata = field(object, 'metadata');
        return (
          (namespace === undefined || namespace === '' || text(metadata, 'namespace') === namespace) && matches(field(metadata, 'labels'))
        );
      });
    },
    authorize(attributes) {
      for (const review of reviews) {
        const spec = field(review, 'spec');
        const resource = field(spec, 'resourceAttributes');
        const path = field(spec, 'nonResourceAttributes');
        const wanted: readonly (readonly [string, string | undefined])[] =
          resource !== undefined
            ? [
                ['verb', attributes.verb],
                ['group', attributes.group],
                ['version', attributes.version],
                ['resource', attributes.resource],
                ['subresource', attributes.subresource],
                ['namespace', attributes.namespace],
                ['name', attributes.name],
              ]
            : [
                ['verb', attributes.verb],
                ['path', attributes.path],
              ];
        const asked = resource ?? path;
        const user = text(spec, 'user');
        if (asked === undefined || (user !== '' && user !== attributes.user.username)) continue;
        // What the recorded review leaves open holds for any value.
        if (wanted.every(([key, value]) => text(asked, key) === '' || text(asked, key) === (value ?? ''))) {
          const status = field(review, 'status');
          return { allowed: field(status, 'allowed') === true, reason: text(status, 'reason') };
        }
      }
      return { allowed: false, reason: 'nothing is recorded about it' };
    },
  };
}

const kindKey = (apiVersion: string, kind: string): string => `${apiVersion}/${kind}`;
const nameKey = (kind: string, namespace: string, name: string): string => JSON.stringify([kind, namespace, name]);

const REQUIREMENT = /\s*(?:(!)\s*([\w./-]+)|([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|\s(in|notin)\s*\(([^)]*)\))?)\s*(?:,|$)/y;

/** A label selector in the form of `kubectl -l`. Throws a RangeError on anything else: queries come from our own compiler. */
export function parseLabelSelector(selector: string): (labels: Json | undefined) => boolean {
  const tests: ((labels: Json | undefined) => boolean)[] = [];
  REQUIREMENT.lastIndex = 0;
  while (REQUIREMENT.lastIndex < selector.length) {
    const match = REQUIREMENT.exec(selector);
    if (match === null) throw new RangeError(`not a label selector: ${selector}`);
    const [, , absent, key = '', sign, value = '', operator, list = ''] = match;
    if (absent !== undefined) tests.push((labels) => field(labels, absent) === undefined);
    else if (sign === '!=') tests.push((labels) => field(labels, key) !== value);
    else if (sign !== undefined) tests.push((labels) => field(labels, key) === value);
    else if (operator !== undefined) {
      const values = new Set<Json | undefined>(list.split(',').map((item) => item.trim()));
      tests.push(operator === 'in' ? (labels) => values.has(field(labels, key)) : (labels) => !values.has(field(labels, key)));
    } else tests.push((labels) => field(labels, key) !== undefined);
  }
  return (labels) => tests.every((test) => test(labels));
}
