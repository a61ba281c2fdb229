import type { Json, JsonObject } from '../../../object/json.ts';
import { splitTemplateText, wholeExpression } from '../../../object/template-text.ts';
import type { DocumentPath } from '../../../text/document.ts';
import type { Reporter } from '../../reporter.ts';
import type { DefinitionSource, PrinterColumn } from '../definition.ts';
import type { EntrySource, EntrySourceBase, ExpressionSource, LoopSource, ReadinessSource, RuleSource } from '../source.ts';
import type { ResourceGraphDefinitionDocument, ResourceGraphResource } from './document.ts';

/** kro: pkg/graph/validation.go. */
const RESERVED = new Set(
  'apiVersion context dependency dependencies each externalRef externalReference externalRefs externalReferences graph instance item items kind kro metadata namespace object resource resourcegraphdefinition resourceGraphDefinition resources root runtime schema self serviceAccountName spec status this variables vars version'.split(
    ' ',
  ),
);

/** kro's names of types, beside those that are ours too. */
const TYPE_ALIASES: Readonly<Record<string, string>> = { float: 'number', object: 'map[string]any' };

/** A ResourceGraphDefinition as the compiler takes it, and what its CustomResourceDefinition is made of. */
export function lowerResourceGraph(
  report: Reporter,
  document: ResourceGraphDefinitionDocument,
): { readonly source: RuleSource; readonly definition: DefinitionSource } {
  const { schema, resources = [] } = document.spec;
  const group = schema.group ?? 'kro.run';
  const scope = schema.scope ?? 'Namespaced';
  if (!/^[A-Z][A-Za-z0-9]*$/.test(schema.kind)) {
    const message = `the kind ${JSON.stringify(schema.kind)} is not UpperCamelCase`;
    report.error(['spec', 'schema', 'kind'], 'kro-name', message);
  }
  if (!/^v\d+(?:(?:alpha|beta)\d+)?$/.test(schema.apiVersion)) {
    const message = `${JSON.stringify(schema.apiVersion)} is no version of an API`;
    report.error(['spec', 'schema', 'apiVersion'], 'kro-name', message, 'the group stands in group; the version is as v1alpha1');
  }
  const { conditions, ...status } = (schema.status ?? {}) as { readonly [field: string]: Json };
  if (conditions !== undefined) {
    const message = 'conditions that kro builds with runtime.newCondition are not supported';
    report.error(['spec', 'schema', 'status', 'conditions'], 'kro-unsupported', message, 'a ReconcileRule has conditions of its own');
  }
  const source: RuleSource = {
    ruleKind: 'ResourceGraphDefinition',
    name: document.metadata.name,
    instanceVariable: 'schema',
    instance: {
      apiVersion: `${group}/${schema.apiVersion}`,
      kind: schema.kind,
      namespaced: scope === 'Namespaced',
      labelSelector: '',
      decorated: false,
    },
    variables: [],
    entries: resources.map((resource, index) => lowerResource(report, ['spec', 'resources', index], resource)),
    status: Object.keys(status).length === 0 ? undefined : { path: ['spec', 'schema', 'status'], value: status },
    declaresStatus: undefined,
    conditions: [],
    requeueAfter: undefined,
    deletion: 'Delete',
  };
  const at: DocumentPath = ['spec', 'schema'];
  const definition: DefinitionSource = {
    group,
    version: schema.apiVersion,
    kind: schema.kind,
    shortNames: schema.shortNames,
    categories: schema.categories,
    scope,
    labels: schema.metadata?.labels,
    annotations: schema.metadata?.annotations,
    types: schema.types === undefined ? undefined : { path: [...at, 'types'], value: schema.types },
    spec: schema.spec === undefined ? undefined : { path: [...at, 'spec'], value: schema.spec },
    status: undefined,
    validations: [],
    printerColumns: printerColumns(schema.additionalPrinterColumns),
    ownColumnsOnly: true,
    typeAliases: TYPE_ALIASES,
    statusFields: { state: { type: 'string' } },
  };
  return { source, definition };
}

const DEFAULT_COLUMNS: readonly PrinterColumn[] = [
  { name: 'State', path: '.status.state', type: 'string', description: 'The state of a ResourceGraphDefinition instance' },
  {
    name: 'Ready',
    path: '.status.conditions[?(@.type=="Ready")].status',
    type: 'string',
    description: 'Whether a ResourceGraphDefinition instance is ready',
  },
  { name: 'Age', path: '.metadata.creationTimestamp', type: 'date', description: 'Age of the resource' },
];

type KroColumns = ResourceGraphDefinitionDocument['spec']['schema']['additionalPrinterColumns'];

function printerColumns(columns: KroColumns): readonly PrinterColumn[] {
  if (columns === undefined || columns.length === 0) return DEFAULT_COLUMNS;
  return columns.map(({ jsonPath, ...rest }) => ({ ...rest, path: jsonPath }) as PrinterColumn);
}

function lowerResource(report: Reporter, path: DocumentPath, resource: ResourceGraphResource): EntrySource {
  const { id, template, externalRef } = resource;
  if (!/^[a-z][A-Za-z0-9]*$/.test(id)) report.error([...path, 'id'], 'kro-name', `the id ${JSON.stringify(id)} is not lowerCamelCase`);
  else if (RESERVED.has(id)) report.error([...path, 'id'], 'kro-name', `the id ${id} is a reserved word`);
  if ((template === undefined) === (externalRef === undefined)) {
    report.error(path, 'kro-resource', 'expected exactly one of template and externalRef');
  }
  const loops = (resource.forEach ?? []).flatMap((dimension, index) =>
    Object.entries(dimension).map(([variable, text]): LoopSource => {
      return { variable, range: standalone(report, [...path, 'forEach', index, variable], text) };
    }),
  );
  const base: EntrySourceBase = {
    id,
    path,
    when: (resource.includeWhen ?? []).map((text, index) => standalone(report, [...path, 'includeWhen', index], text)),
    loops,
    loopKeys: false,
    key: undefined,
    looseKeys: true,
    after: [],
    waitFor: 'Ready',
  };
  const collection = loops.length > 0 || externalRef?.metadata.selector !== undefined;
  const ready: ReadinessSource =
    resource.readyWhen === undefined || resource.readyWhen.length === 0
      ? { kind: 'exists' }
      : {
          kind: 'expressions',
          expressions: resource.readyWhen.map((text, index) => standalone(report, [...path, 'readyWhen', index], text)),
          variable: collection ? 'each' : id,
        };
  if (externalRef !== undefined) {
    const at = [...path, 'externalRef', 'metadata'];
    const part = (field: 'name' | 'namespace' | 'selector') => {
      const value = externalRef.metadata[field];
      return value === undefined ? undefined : { path: [...at, field], value: value as Json };
    };
    const { apiVersion, kind } = externalRef;
    const [name, namespace, selector] = [part('name'), part('namespace'), part('selector')];
    // A collection without a namespace is one of all namespaces.
    const allNamespaces = selector !== undefined && namespace === undefined;
    return { ...base, kind: 'external', apiVersion, objectKind: kind, name, namespace, selector, allNamespaces, optional: false, ready };
  }
  return {
    ...base,
    kind: 'template',
    template: { path: [...path, 'template'], value: (template ?? {}) as JsonObject },
    ready,
    deletion: undefined,
    adopt: 'IfUnowned',
    force: true,
    ignore: [],
    onImmutable: 'Report',
  };
}

/** A string that is one whole `${...}`, as an expression. */
function standalone(report: Reporter, path: DocumentPath, text: string): ExpressionSource {
  const { pieces, issues } = splitTemplateText(text);
  const whole = wholeExpression(pieces);
  if (whole !== undefined) return { path, text: whole.text, offset: whole.start };
  const message = issues[0]?.message ?? 'expected one expression, as ${schema.spec.enabled}';
  report.error(path, 'kro-expression', message);
  return { path, text: 'true' };
}
