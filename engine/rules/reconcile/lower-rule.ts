import type { Json, JsonObject } from '../../object/json.ts';
import { labelSelectorOf } from '../../object/label-selector.ts';
import { hasExpression } from '../../object/template-text.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import { type DefinitionSource, definitionSource } from './definition.ts';
import type {
  CallEntryDocument,
  GenerateEntryDocument,
  HttpRequestDocument,
  ObjectEntryDocument,
  ReconcileRuleDocument,
} from './document.ts';
import { DEFAULT_CERTIFICATE_DURATION, readDuration } from './durations.ts';
import type {
  CallEntrySource,
  EntrySource,
  EntrySourceBase,
  ExternalEntrySource,
  HttpSource,
  RandomEntrySource,
  ReadinessSource,
  RuleSource,
  TemplateEntrySource,
  TemplateSource,
  X509EntrySource,
} from './source.ts';

const DEFAULT_TIMEOUT = 10_000;
const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A ReconcileRule as the compiler takes it, and what its CustomResourceDefinition is made of. */
export function lowerReconcileRule(
  report: Reporter,
  document: ReconcileRuleDocument,
): { readonly source: RuleSource; readonly definition: DefinitionSource | undefined } | undefined {
  const { spec, metadata } = document;
  const instance = instanceOf(report, document);
  if (instance === undefined) return undefined;
  const at: DocumentPath = ['spec'];
  const entries: EntrySource[] = [
    ...(spec.generate ?? []).map((entry, index) => lowerGenerate(report, [...at, 'generate', index], entry)),
    ...(spec.calls ?? []).map((entry, index) => lowerCall(report, [...at, 'calls', index], entry)),
    ...(spec.objects ?? []).map((entry, index) => lowerObject([...at, 'objects', index], entry)),
  ];
  const definition = spec.resource === undefined ? undefined : definitionSource([...at, 'resource'], spec.resource);
  const source: RuleSource = {
    ruleKind: 'ReconcileRule',
    name: metadata.name,
    instanceVariable: 'self',
    instance,
    variables: (spec.variables ?? []).map(({ name, expression }, index) => {
      const path = [...at, 'variables', index];
      return { name, namePath: [...path, 'name'], expression: { path: [...path, 'expression'], text: expression } };
    }),
    entries,
    status: spec.status === undefined ? undefined : { path: [...at, 'status'], value: spec.status as JsonObject },
    declaresStatus: spec.resource === undefined || spec.resource.status !== undefined,
    conditions: (spec.conditions ?? []).map(({ type, expression, reason, message }, index) => {
      const path = [...at, 'conditions', index];
      return {
        type,
        expression: { path: [...path, 'expression'], text: expression },
        reason: template([...path, 'reason'], reason),
        message: template([...path, 'message'], message),
      };
    }),
    requeueAfter: template([...at, 'requeueAfter'], spec.requeueAfter),
    deletion: spec.deletion?.policy ?? 'Delete',
  };
  return { source, definition };
}

function instanceOf(report: Reporter, { spec }: ReconcileRuleDocument): RuleSource['instance'] | undefined {
  const { resource, for: decorated } = spec;
  if ((resource === undefined) === (decorated === undefined)) {
    const message = resource === undefined ? 'the rule has neither resource nor for' : 'the rule has resource and for';
    const hint = 'resource makes a kind of its own, for takes objects of a kind that exists';
    report.error(['spec'], 'reconcile-instance', `${message}: expected exactly one of them`, hint);
    return undefined;
  }
  if (resource !== undefined) {
    const { group, version, kind, scope } = resource;
    return { apiVersion: `${group}/${version}`, kind, namespaced: scope !== 'Cluster', labelSelector: '', decorated: false };
  }
  const { apiVersion, kind, selector } = decorated!;
  const read = labelSelectorOf((selector ?? {}) as Json);
  if (!read.ok) report.error(['spec', 'for', 'selector'], 'reconcile-selector', read.message);
  return { apiVersion, kind, namespaced: undefined, labelSelector: read.ok ? read.selector.text : '', decorated: true };
}

const template = (path: DocumentPath, value: unknown): TemplateSource | undefined =>
  value === undefined ? undefined : { path, value: value as Json };

type EntryDocument = ObjectEntryDocument | GenerateEntryDocument | CallEntryDocument;

function lowerEntry(path: DocumentPath, entry: EntryDocument): EntrySourceBase {
  const { id, when, forEach, key, after, waitFor } = entry;
  const loops =
    forEach === undefined
      ? []
      : typeof forEach === 'string'
        ? [{ variable: 'item', range: { path: [...path, 'forEach'], text: forEach } }]
        : Object.entries(forEach).map(([variable, text]) => ({ variable, range: { path: [...path, 'forEach', variable], text } }));
  return {
    id,
    path,
    when: when === undefined ? [] : [{ path: [...path, 'when'], text: when }],
    loops,
    loopKeys: typeof forEach === 'string',
    key: key === undefined ? undefined : { path: [...path, 'key'], text: key },
    looseKeys: false,
    after: (after ?? []).map((each, index) => ({ id: each, path: [...path, 'after', index] })),
    waitFor: waitFor ?? 'Ready',
  };
}

function lowerObject(path: DocumentPath, entry: ObjectEntryDocument): TemplateEntrySource | ExternalEntrySource {
  const base = lowerEntry(path, entry);
  const ready: ReadinessSource =
    entry.ready === undefined
      ? { kind: 'kstatus' }
      : { kind: 'expressions', expressions: [{ path: [...path, 'ready'], text: entry.ready }], variable: entry.id };
  if (entry.external !== undefined) {
    const { external } = entry;
    const at = [...path, 'external'];
    return {
      ...base,
      kind: 'external',
      apiVersion: external.apiVersion,
      objectKind: external.kind,
      name: template([...at, 'name'], external.name),
      namespace: template([...at, 'namespace'], external.namespace),
      selector: template([...at, 'selector'], external.selector),
      allNamespaces: external.allNamespaces ?? false,
      optional: external.optional ?? false,
      ready,
    };
  }
  const kind = entry.template === undefined ? 'patch' : 'template';
  return {
    ...base,
    kind,
    template: { path: [...path, kind], value: (entry.template ?? entry.patch) as JsonObject },
    ready: kind === 'patch' && entry.ready === undefined ? { kind: 'exists' } : ready,
    deletion: entry.deletion?.policy,
    adopt: entry.adopt ?? 'IfUnowned',
    force: entry.force ?? false,
    ignore: entry.ignore ?? [],
    onImmutable: entry.onImmutable ?? 'Report',
  };
}

function lowerGenerate(report: Reporter, path: DocumentPath, entry: GenerateEntryDocument): RandomEntrySource | X509EntrySource {
  const base = lowerEntry(path, entry);
  const at = [...path, 'secret'];
  const secret = {
    name: template([...at, 'name'], entry.secret?.name),
    namespace: template([...at, 'namespace'], entry.secret?.namespace),
  };
  if (entry.random !== undefined) {
    const { key, length, alphabet } = entry.random;
    return { ...base, kind: 'random', secret, valueKey: key ?? 'value', length: length ?? 32, alphabet: alphabet ?? LETTERS_AND_DIGITS };
  }
  const x509 = entry.x509!;
  const below = [...path, 'x509'];
  const { commonName, dnsNames, ipAddresses, issuer, duration, renewBefore } = x509;
  checkLifetime(report, below, duration, renewBefore);
  return {
    ...base,
    kind: 'x509',
    secret,
    subject: {
      path: below,
      value: {
        commonName,
        ...(dnsNames === undefined ? {} : { dnsNames: dnsNames as Json }),
        ...(ipAddresses === undefined ? {} : { ipAddresses: ipAddresses as Json }),
        ...(issuer === undefined ? {} : { issuer: issuer as JsonObject }),
        ...(duration === undefined ? {} : { duration }),
        ...(renewBefore === undefined ? {} : { renewBefore }),
      },
    },
    isCA: x509.isCA ?? false,
    algorithm: x509.algorithm ?? 'ECDSA',
    rotateKey: x509.rotateKey ?? false,
    usages: x509.usages ?? [],
  };
}

function lowerCall(report: Reporter, path: DocumentPath, entry: CallEntryDocument): CallEntrySource {
  return {
    ...lowerEntry(path, entry),
    kind: 'call',
    http: lowerHttp(report, [...path, 'http'], entry.http),
    undo: entry.undo === undefined ? undefined : lowerHttp(report, [...path, 'undo'], entry.undo),
    idempotencyKey: template([...path, 'idempotencyKey'], entry.idempotencyKey),
    refresh: durationTemplate(report, [...path, 'refresh'], entry.refresh),
  };
}

/** What is known of a certificate's life before anything is rendered must do. */
function checkLifetime(report: Reporter, path: DocumentPath, duration: string | undefined, renewBefore: string | undefined): void {
  const fixed = (field: string, text: string | undefined): number | undefined =>
    text === undefined || hasExpression(text) ? undefined : millisecondsAt(report, [...path, field], text);
  const life = duration === undefined ? DEFAULT_CERTIFICATE_DURATION : fixed('duration', duration);
  const before = fixed('renewBefore', renewBefore);
  if (life === undefined || before === undefined || before < life) return;
  const message = 'renewBefore is as long as the certificate lasts, so that it would be renewed all the time';
  report.error([...path, 'renewBefore'], 'reconcile-renewal', message, 'make it shorter than duration');
}

function durationTemplate(report: Reporter, path: DocumentPath, text: string | undefined): TemplateSource | undefined {
  if (text !== undefined && !hasExpression(text)) millisecondsAt(report, path, text);
  return template(path, text);
}

function lowerHttp(report: Reporter, path: DocumentPath, http: HttpRequestDocument): HttpSource {
  const { url, headers, body } = http;
  return {
    content: {
      path,
      value: {
        url,
        ...(headers === undefined ? {} : { headers: headers as JsonObject }),
        ...(body === undefined ? {} : { body: body as Json }),
      },
    },
    method: http.method ?? 'GET',
    timeout: millisecondsAt(report, [...path, 'timeout'], http.timeout) ?? DEFAULT_TIMEOUT,
    expect: http.expect,
  };
}

function millisecondsAt(report: Reporter, path: DocumentPath, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = readDuration(text);
  if (milliseconds === undefined || milliseconds === 0) {
    report.error(path, 'reconcile-duration', `expected a duration, found ${JSON.stringify(text)}`, 'write it as 90s, 15m or 2160h');
    return undefined;
  }
  return milliseconds;
}
