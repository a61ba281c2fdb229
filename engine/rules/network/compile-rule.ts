import { identifierHint, isCelIdentifier } from '../../cel/identifier.ts';
import { validateQualifiedName } from '../../cel/libraries/format/names.ts';
import { BOOL, type CelType, DYN, STRING } from '../../cel/types.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import { createSchemaTypes } from '../../object/schema-types.ts';
import { compileTemplate, reportTemplateIssues } from '../../object/template.ts';
import { compileSteps } from '../../step/compile.ts';
import { readStep } from '../../step/read-step.ts';
import type { Requirement } from '../../step/requirement.ts';
import { StepOutputTypes } from '../../step/step-outputs.ts';
import { sha256 } from '../../text/digest.ts';
import { type DocumentPath, formatPath, lineOf } from '../../text/document.ts';
import { suggest } from '../../text/suggest.ts';
import { type Expression, ExpressionCompiler } from '../expressions.ts';
import type { Reporter } from '../reporter.ts';
import { type ClusterObject, compileObject, objectTypes } from './cluster-objects.ts';
import type { AddressSource, CompiledRule, Condition, NetworkContext, RuleTemplate, StepList } from './compiled-rule.ts';
import { type ConfigSchema, readConfigSchema } from './config.ts';
import type { AddressesDocument, NetworkRuleDocument } from './document.ts';
import { FAULT_CODES } from './protocol/fault.ts';
import { ADDRESSES_VARIABLE, ATTACHMENT_VARIABLES, CAPABILITIES, RESULT_VARIABLE, VARIABLE_STRUCTS, VARIABLE_TYPES } from './types.ts';
import { warnOfUnguardedCapabilities } from './unguarded-capabilities.ts';
import { checkWrittenRanges } from './written-ranges.ts';

/** Names that expressions have for something else. */
const RESERVED = new Set(
  'config request args runtimeConfig prevResult node params variables steps ipam result item index key int uint double string bool bytes list map type dyn null_type timestamp duration optional optional_type strings sets lists math hash base64 json x509 quantity semver ip cidr url format net google kubernetes'.split(
    ' ',
  ),
);

/** Checks and compiles one rule. Reports everything that is wrong; undefined when something is. */
export function compileRule(report: Reporter, document: NetworkRuleDocument, context: NetworkContext): CompiledRule | undefined {
  return new RuleCompiler(report, document, context).compile();
}

class RuleCompiler {
  readonly #report: Reporter;
  readonly #spec: NetworkRuleDocument['spec'];
  readonly #name: string;
  readonly #context: NetworkContext;
  readonly #config: ConfigSchema;
  readonly #attachOutputs = new StepOutputTypes('network.steps');
  readonly #nodeOutputs = new StepOutputTypes('network.node.steps');
  readonly #compiler: ExpressionCompiler;
  readonly #objects: ClusterObject[] = [];
  /** Every expression of the rule. */
  readonly #expressions: Expression[] = [];

  constructor(report: Reporter, document: NetworkRuleDocument, context: NetworkContext) {
    this.#report = report;
    this.#spec = document.spec;
    this.#name = document.metadata.name;
    this.#context = context;
    this.#config = readConfigSchema(report, document.spec.config);
    const { params, types } = context;
    const schemaTypes = createSchemaTypes('values');
    const objects = objectTypes(report, document.spec.objects ?? [], types, schemaTypes);
    const variables: Record<string, CelType> = { ...objects, ...VARIABLE_TYPES, config: this.#config.type };
    if (params !== undefined) variables['params'] = params.type;
    this.#compiler = new ExpressionCompiler(report, {
      room: 'network',
      environment: context.environment,
      variables,
      types: [
        ...VARIABLE_STRUCTS,
        this.#config.types,
        this.#attachOutputs,
        this.#nodeOutputs,
        schemaTypes,
        ...(params === undefined ? [] : [params.types]),
      ],
      // What depends on an attachment can't be used for the node, and so is followed like the objects.
      ids: new Set([...Object.keys(objects), ...ATTACHMENT_VARIABLES]),
      jsonVariables: new Set(['config', 'request', 'args', 'runtimeConfig', 'node', 'params']),
      explainUnknown: (name) => this.#absent(name, [...Object.keys(variables), 'variables']),
    });
  }

  compile(): CompiledRule | undefined {
    const spec = this.#spec;
    this.#checkIds();
    this.#checkCapabilities(spec.capabilities ?? []);
    this.#variables();
    this.#compileObjects();
    const validations = this.#conditions('validations', spec.validations ?? [], FAULT_CODES.invalidConfig);
    const addresses = spec.ipam === undefined ? undefined : this.#addresses(spec.ipam);
    const ipam: Readonly<Record<string, CelType>> = spec.ipam === undefined ? {} : { ipam: ADDRESSES_VARIABLE };
    const attach = this.#steps(['spec', 'steps'], spec.steps ?? [], this.#attachOutputs, ipam);
    if (attach !== undefined) warnOfUnguardedCapabilities(this.#report, attach);
    const result =
      spec.result === undefined ? undefined : this.#template(['spec', 'result'], spec.result as Json, { ...ipam, ...this.#ended() });
    if (spec.result !== undefined && !isJsonObject(spec.result) && typeof spec.result !== 'string')
      this.#report.error(['spec', 'result'], 'network-result', 'expected the fields of a result: interfaces, ips, routes, dns');
    const podAnnotations = spec.podAnnotations === undefined ? undefined : this.#podAnnotations(spec.podAnnotations, ipam);
    const attachExpressions = this.#expressions.splice(0);
    const node = spec.node === undefined ? undefined : this.#nodeSteps(spec.node.steps);
    const nodeExpressions = this.#expressions.splice(0);
    const status = this.#conditions('status', spec.status ?? [], FAULT_CODES.notAvailable);
    const statusExpressions = this.#expressions.splice(0);
    this.#checkNode(nodeExpressions, 'steps of the node know of no attachment');
    this.#checkNode(statusExpressions, 'the state of the network does not depend on an attachment', new Set(['args', 'prevResult']));
    if (this.#report.hasErrors || attach === undefined) return undefined;
    const { params } = this.#context;
    return {
      name: this.#name,
      revision: sha256(canonicalJson({ name: this.#name, spec: spec as unknown as Json, params: params?.value ?? {} })),
      config: this.#config,
      params: params?.value ?? {},
      capabilities: this.#capabilities([...attachExpressions, ...statusExpressions]),
      variables: this.#compiler.variables,
      objects: this.#objects,
      validations,
      addresses,
      attach: { steps: attach, objects: this.#objectsOf(attachExpressions), requirements: requirementsOf(attach) },
      node: node && { steps: node, objects: this.#objectsOf(nodeExpressions), requirements: requirementsOf(node) },
      status: { conditions: status, objects: this.#objectsOf(statusExpressions) },
      result,
      podAnnotations,
      operations: this.#context.operations,
      describePlace: (path) => this.#place(path),
    };
  }

  #expression(path: DocumentPath, text: string, locals?: Readonly<Record<string, CelType>>, resultTypes?: readonly CelType[]) {
    return this.#note(this.#compiler.compile({ path, text }, locals, resultTypes === undefined ? {} : { resultTypes }));
  }

  #note<E extends Expression | undefined>(expression: E): E {
    if (expression !== undefined) this.#expressions.push(expression);
    return expression;
  }

  #template(path: DocumentPath, value: Json, locals?: Readonly<Record<string, CelType>>): RuleTemplate | undefined {
    const { template, issues } = compileTemplate(value, (place) =>
      this.#note(this.#compiler.compile({ path: [...path, ...place.path], text: place.text, offset: place.offset }, locals)),
    );
    reportTemplateIssues(this.#report, path, issues);
    return template && { path, template };
  }

  /** What expressions see of an attachment that is made. */
  #ended(): Readonly<Record<string, CelType>> {
    return { steps: this.#attachOutputs.type, result: RESULT_VARIABLE };
  }

  #podAnnotations(annotations: JsonObject, ipam: Readonly<Record<string, CelType>>): RuleTemplate | undefined {
    const path = ['spec', 'podAnnotations'];
    for (const key of Object.keys(annotations)) {
      const [problem] = validateQualifiedName(key);
      if (problem !== undefined)
        this.#report.error([...path, key], 'network-annotation', `${JSON.stringify(key)} is no annotation: ${problem}`);
    }
    return this.#template(path, annotations, { ...ipam, ...this.#ended() });
  }

  #checkIds(): void {
    const seen = new Set<string>();
    for (const [index, { id }] of (this.#spec.objects ?? []).entries()) {
      const path = ['spec', 'objects', index, 'id'];
      if (!isCelIdentifier(id)) {
        this.#report.error(path, 'network-id', `the id ${JSON.stringify(id)} can't be used in expressions`, identifierHint(id, 'pod'));
      } else if (RESERVED.has(id))
        this.#report.error(path, 'network-id', `the id ${id} has a meaning of its own in expressions`, 'choose another one');
      else if (seen.has(id)) this.#report.error(path, 'network-duplicate', `there is another object with the id ${id}`);
      seen.add(id);
    }
  }

  /** What to do about a name that an expression can't use. */
  #absent(name: string, known: readonly string[]): string | undefined {
    if (name === 'ipam' && this.#spec.ipam === undefined)
      return 'the rule has no ipam: { ranges: [{ subnet: 10.1.0.0/16 }] }, which says where addresses come from';
    return ELSEWHERE.get(name) ?? (isCelIdentifier(name) ? `known names: ${known.join(', ')}` : undefined);
  }

  #checkCapabilities(names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
      if (CAPABILITIES.includes(name)) continue;
      const near = suggest(name, CAPABILITIES);
      const hint = near === undefined ? `known capabilities: ${CAPABILITIES.join(', ')}` : `did you mean ${near}?`;
      this.#report.warning(['spec', 'capabilities', index], 'network-capability', `a rule can't read the capability ${name}`, hint);
    }
  }

  #variables(): void {
    for (const [index, { name, expression }] of (this.#spec.variables ?? []).entries()) {
      const path = ['spec', 'variables', index];
      if (!isCelIdentifier(name))
        this.#report.error([...path, 'name'], 'network-id', `the name ${JSON.stringify(name)} can't be used in expressions`);
      else if (this.#compiler.variables.has(name))
        this.#report.error([...path, 'name'], 'network-duplicate', `there is another variable called ${name}`);
      this.#compiler.declare(name, { path: [...path, 'expression'], text: expression });
    }
  }

  #compileObjects(): void {
    const documents = this.#spec.objects ?? [];
    for (const [index, document] of documents.entries()) {
      const path = ['spec', 'objects', index];
      const object = compileObject(this.#report, document, path, this.#compiler, this.#context.types);
      if (object === undefined) continue;
      const later = documents.slice(index).find(({ id }) => object.reads.has(id));
      if (later !== undefined) {
        const message =
          later.id === document.id ? `${later.id} refers to itself` : `${later.id} stands after ${document.id}, which refers to it`;
        this.#report.error([...path, 'external'], 'network-order', message, later.id === document.id ? undefined : 'move it up');
      }
      this.#objects.push(object);
    }
  }

  #conditions(
    field: 'validations' | 'status',
    documents: NonNullable<NetworkRuleDocument['spec'][typeof field]>,
    code: number,
  ): readonly Condition[] {
    return documents.flatMap((each, index): readonly Condition[] => {
      const path = ['spec', field, index];
      const expression = this.#expression([...path, 'expression'], each.expression, undefined, [BOOL, DYN]);
      const messageExpression =
        each.messageExpression === undefined
          ? undefined
          : this.#expression([...path, 'messageExpression'], each.messageExpression, undefined, [STRING, DYN]);
      if (expression === undefined) return [];
      const message = each.message ?? `failed expression: ${each.expression.trim()}`;
      return [{ expression, message, messageExpression, code: each.code ?? code }];
    });
  }

  #addresses(document: AddressesDocument): AddressSource | undefined {
    const path = ['spec', 'ipam'];
    const { when, ...fields } = document;
    if (fields.ranges === undefined && fields.configuration === undefined && fields.delegate === undefined) {
      const message = 'expected ranges, configuration, or delegate';
      this.#report.error(path, 'network-addresses', message, 'as ranges: [{ subnet: "${config.subnet}" }]');
    }
    const condition = when === undefined ? undefined : this.#expression([...path, 'when'], when, undefined, [BOOL, DYN]);
    const template = this.#template(path, fields as unknown as JsonObject);
    checkWrittenRanges(this.#report, [...path, 'ranges'], fields.ranges as Json | undefined);
    if (template === undefined) return undefined;
    return {
      path,
      line: lineOf(this.#report.document, path),
      when: condition,
      template: template.template,
      saysRequested: fields.requested !== undefined,
      saysConfiguration: fields.configuration !== undefined,
    };
  }

  #steps(path: DocumentPath, documents: readonly unknown[], outputs: StepOutputTypes, locals: Readonly<Record<string, CelType>>) {
    const { operations } = this.#context;
    const sources = documents.map((step, index) => readStep(this.#report, [...path, index], step, operations));
    const read = sources.filter((source) => source !== undefined);
    return compileSteps<Expression>(read, {
      report: this.#report,
      outputs,
      locals,
      compile: (source, more, resultTypes) =>
        this.#note(this.#compiler.compile(source, more, resultTypes === undefined ? {} : { resultTypes })),
    });
  }

  #nodeSteps(documents: readonly unknown[]): StepList['steps'] | undefined {
    return this.#steps(['spec', 'node', 'steps'], documents, this.#nodeOutputs, {});
  }

  /** Reports what reads something that is only there for an attachment. */
  #checkNode(expressions: readonly Expression[], why: string, names: ReadonlySet<string> = ATTACHMENT_VARIABLES): void {
    for (const { path, ids } of expressions) {
      const read = this.#closure(ids).find((name) => names.has(name));
      if (read !== undefined) this.#report.error(path, 'network-scope', `${read} can't be read here: ${why}`);
    }
  }

  /** Names and, of objects among them, the names that those read. */
  #closure(names: readonly string[]): readonly string[] {
    const all = new Set(names);
    for (const name of all) for (const read of this.#objects.find(({ id }) => id === name)?.reads ?? []) all.add(read);
    return [...all];
  }

  #objectsOf(expressions: readonly Expression[]): ReadonlySet<string> {
    const ids = new Set(this.#objects.map(({ id }) => id));
    return new Set(expressions.flatMap(({ ids: names }) => this.#closure(names)).filter((name) => ids.has(name)));
  }

  /** What the rule reads of `runtimeConfig`, itself and by what Fairlead reads for it. */
  #capabilities(expressions: readonly Expression[]): readonly string[] {
    if (this.#spec.capabilities !== undefined) return this.#spec.capabilities;
    const found = new Set<string>();
    const used = new Set(expressions.flatMap(({ variables }) => variables));
    const own = [
      ...expressions,
      ...[...this.#compiler.variables.values()].flatMap(({ name, expression }) => (used.has(name) ? [expression] : [])),
    ];
    for (const { reads } of own) {
      const runtime = reads.get('runtimeConfig');
      if (runtime !== undefined && runtime !== true) for (const field of Object.keys(runtime)) if (field !== '*') found.add(field);
      const request = reads.get('request');
      if (request !== undefined && request !== true && Object.hasOwn(request, 'mac')) found.add('mac');
      if (request !== undefined && request !== true && Object.hasOwn(request, 'requested')) found.add('ips');
    }
    const { ipam } = this.#spec;
    if (ipam !== undefined) for (const name of ['ipRanges', ...(ipam.requested === undefined ? ['ips'] : [])]) found.add(name);
    return [...found].sort();
  }

  #place(path: DocumentPath): string {
    const line = lineOf(this.#report.document, path);
    return line === undefined ? formatPath(path) : `line ${line}`;
  }
}

/** Where names are known that an expression elsewhere can't use. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['ipam', 'it is there in steps, in `result` and in podAnnotations: addresses are given after this'],
  ['steps', 'it is there in steps, in `result` and in podAnnotations: steps are performed after this'],
  ['result', 'it is there in `result` and in podAnnotations: it follows from all steps'],
  ['item', 'it is there in a step with forEach'],
  ['index', 'it is there in a step with forEach over a list'],
  ['key', 'it is there in a step with forEach over a map'],
]);

/** Of the steps that are always there. */
function requirementsOf(steps: StepList['steps']): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  for (const { operation, when, forEach, arguments: args } of steps) {
    if (when !== undefined || forEach !== undefined) continue;
    for (const requirement of operation.requires(args.written)) found.set(JSON.stringify(requirement), requirement);
  }
  return [...found.values()];
}
