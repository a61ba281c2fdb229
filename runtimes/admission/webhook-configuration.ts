import type { AdmissionProgram } from '../../engine/rules/admission/decision.ts';
import type { RuleReach } from '../../engine/rules/admission/reach.ts';
import type { ResourceRule } from '../../engine/rules/admission/resource-match.ts';
import { type AdmissionPaths, DEFAULT_ADMISSION_PATHS } from './server.ts';

/** How an API server reaches the webhook: by a Service of its cluster, or by a URL. */
export type WebhookAddress =
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port?: number }
  | { readonly kind: 'url'; readonly url: string };

export interface WebhookConfigurationOptions {
  /** `metadata.name` of both configurations; a DNS subdomain. */
  readonly name: string;
  readonly address: WebhookAddress;
  /** PEM of the authorities that the server's certificate comes from; without it the API server uses those of its system. */
  readonly caBundle?: string;
  /** Requests in these namespaces are not sent. Default: kube-system, and the namespace of the service. */
  readonly excludedNamespaces?: readonly string[];
  /** Who is never asked about, so that the webhook cannot stand in the way of its own pods: `system:serviceaccount:<namespace>:<name>`. */
  readonly excludedUser?: string;
  /** Seconds, 1 to 30; default 10. */
  readonly timeoutSeconds?: number;
  /** What a failed call means; default Fail when any rule says so. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  readonly paths?: Partial<AdmissionPaths>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A MutatingWebhookConfiguration or ValidatingWebhookConfiguration, `admissionregistration.k8s.io/v1`. */
export interface WebhookConfiguration {
  readonly apiVersion: 'admissionregistration.k8s.io/v1';
  readonly kind: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly webhooks: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  readonly admissionReviewVersions: readonly string[];
  readonly clientConfig: object;
  readonly rules: readonly WebhookRule[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly matchPolicy: 'Equivalent' | 'Exact';
  readonly namespaceSelector: object;
  readonly objectSelector: object;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly sideEffects: 'None';
  readonly timeoutSeconds: number;
  readonly reinvocationPolicy?: 'IfNeeded';
}

/** An entry of a webhook's `rules`, with every field that the API server would fill in. */
export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced' | '*';
}

const EVERYTHING: WebhookRule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'], scope: '*' };

/**
 * The configurations that make an API server send to the webhook what a program's rules concern: a mutating one when rules
 * mutate, a validating one when rules validate. Fields that the API server would default are there, so that GitOps tools
 * see no difference. The same program gives the same text.
 *
 * Throws a RangeError for a timeout that is not 1 to 30 seconds.
 */
export function webhookConfigurations(
  program: Pick<AdmissionProgram, 'reach' | 'rules'>,
  options: WebhookConfigurationOptions,
): readonly WebhookConfiguration[] {
  const { timeoutSeconds = 10 } = options;
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 30) {
    throw new RangeError(`timeoutSeconds must be 1 to 30, found ${timeoutSeconds}`);
  }
  const paths: AdmissionPaths = { ...DEFAULT_ADMISSION_PATHS, ...options.paths };
  const reach = program.reach ?? [unknownReach(program)];
  const configurations: WebhookConfiguration[] = [];
  const mutating = reach.filter(({ mutates }) => mutates);
  const validating = reach.filter(({ validates }) => validates);
  if (mutating.length > 0) {
    const webhook = {
      name: webhookName('mutate', options),
      ...webhookOf(mutating, paths.mutate, options, timeoutSeconds),
      reinvocationPolicy: 'IfNeeded' as const,
    };
    configurations.push(configuration('MutatingWebhookConfiguration', options, webhook));
  }
  if (validating.length > 0) {
    const webhook = { name: webhookName('validate', options), ...webhookOf(validating, paths.validate, options, timeoutSeconds) };
    configurations.push(configuration('ValidatingWebhookConfiguration', options, webhook));
  }
  return configurations;
}

/** A program that does not say whom it concerns may concern anything. */
function unknownReach({ rules }: Pick<AdmissionProgram, 'rules'>): RuleReach {
  const any = rules.length > 0;
  return { kind: '', name: '', mutates: any, validates: any, failurePolicy: 'Fail', matchPolicy: 'Equivalent', resourceRules: [] };
}

function configuration(
  kind: WebhookConfiguration['kind'],
  { name, labels }: WebhookConfigurationOptions,
  webhook: Webhook,
): WebhookConfiguration {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    webhooks: [webhook],
  };
}

/** A webhook's name must have three parts. */
function webhookName(verb: string, { name }: WebhookConfigurationOptions): string {
  return `${verb}.${name}.fairlead.dev`;
}

function webhookOf(
  reach: readonly RuleReach[],
  path: string,
  options: WebhookConfigurationOptions,
  timeoutSeconds: number,
): Omit<Webhook, 'name'> {
  const { address, excludedUser } = options;
  const own = address.kind === 'service' ? [address.namespace] : [];
  const excluded = [...new Set(options.excludedNamespaces ?? ['kube-system', ...own])].sort();
  const caBundle = options.caBundle === undefined ? {} : { caBundle: Buffer.from(options.caBundle).toString('base64') };
  return {
    admissionReviewVersions: ['v1', 'v1beta1'],
    clientConfig:
      address.kind === 'service'
        ? { ...caBundle, service: { namespace: address.namespace, name: address.name, path, port: address.port ?? 443 } }
        : { ...caBundle, url: address.url.replace(/\/$/, '') + path },
    rules: webhookRules(reach.flatMap(({ resourceRules }) => (resourceRules.length === 0 ? [EVERYTHING] : resourceRules))),
    failurePolicy: options.failurePolicy ?? (reach.some(({ failurePolicy }) => failurePolicy === 'Fail') ? 'Fail' : 'Ignore'),
    // Where rules differ, one that wants the exact version is asked too often, never too seldom.
    matchPolicy: reach.every(({ matchPolicy }) => matchPolicy === 'Exact') ? 'Exact' : 'Equivalent',
    namespaceSelector:
      excluded.length === 0 ? {} : { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excluded }] },
    objectSelector: {},
    ...(excludedUser === undefined
      ? {}
      : {
          matchConditions: [{ name: 'not-the-webhook-itself', expression: `request.userInfo.username != ${JSON.stringify(excludedUser)}` }],
        }),
    sideEffects: 'None',
    timeoutSeconds,
  };
}

/**
 * The union of resource rules in as few entries as keep it exact: entries that differ in one list only become one, and
 * lists that hold `*` hold nothing else. Sorted, so that the order of rules does not show.
 */
export function webhookRules(rules: readonly ResourceRule[]): readonly WebhookRule[] {
  let entries: WebhookRule[] = rules.map(({ apiGroups, apiVersions, operations, resources, scope = '*' }) => ({
    apiGroups: normalized(apiGroups),
    apiVersions: normalized(apiVersions),
    operations: normalized(operations),
    resources: normalizedResources(resources),
    scope,
  }));
  for (const list of ['resources', 'operations', 'apiVersions', 'apiGroups'] as const) {
    const groups = new Map<string, WebhookRule>();
    for (const entry of entries) {
      const key = JSON.stringify({ ...entry, [list]: null });
      const other = groups.get(key);
      const merged = other === undefined ? entry[list] : [...other[list], ...entry[list]];
      groups.set(key, { ...entry, [list]: list === 'resources' ? normalizedResources(merged) : normalized(merged) });
    }
    entries = [...groups.values()];
  }
  return entries.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function normalized(list: readonly string[]): readonly string[] {
  return list.includes('*') ? ['*'] : [...new Set(list)].sort();
}

/**
 * Drops what a wildcard beside it covers: the API server refuses a list in which a wildcard stands beside what it covers.
 * Kubernetes: pkg/apis/admissionregistration/validation/validation.go.
 */
function normalizedResources(resources: readonly string[]): readonly string[] {
  const all = new Set(resources);
  if (all.has('*/*')) return ['*/*'];
  return [...all]
    .filter((resource) => {
      const [parent = '', subresource] = resource.split('/', 2);
      if (subresource === undefined) return parent === '*' || !all.has('*');
      return (subresource === '*' || !all.has(`${parent}/*`)) && (parent === '*' || !all.has(`*/${subresource}`));
    })
    .sort();
}
