import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from '../../../object/json.ts';
import { diffJson } from '../../../object/json-diff.ts';
import type { PatchOperation } from '../../../object/json-patch.ts';
import type { TypeTable } from '../../../object/type-table.ts';
import { type Diagnostic, isError } from '../../../text/diagnostic.ts';
import type { Document, DocumentPath } from '../../../text/document.ts';
import { checkShape, diagnosticAt } from '../../../text/shape-check.ts';
import type { AdmissionDecision, AdmissionFacts, AdmissionProgram, Operation, UserInfo } from '../decision.ts';
import { objectRequest } from '../object-request.ts';
import { recordedFacts } from '../recorded-facts.ts';
import { type KyvernoTestDocument, type KyvernoTestRow, type KyvernoValues, kyvernoTest, kyvernoValues } from './test-document.ts';

/** Files that a test names, by the name it gives them; undefined for a file that can't be read. */
export type KyvernoTestFiles = (name: string) => readonly Document[] | undefined;

export interface KyvernoTestParts {
  readonly files: KyvernoTestFiles;
  readonly types: TypeTable | undefined;
  /** The current time, in nanoseconds since 1970, for policies that ask. */
  readonly now?: () => bigint;
  /** Compiles the test's policies; undefined when a diagnostic is an error. */
  readonly compile: (documents: readonly Document[]) => {
    readonly program?: AdmissionProgram | undefined;
    readonly diagnostics: readonly Diagnostic[];
  };
}

export type KyvernoVerdict = 'pass' | 'fail' | 'skip' | 'error';

/** One (policy, resource) pair of a row of `results`. */
export interface KyvernoTestCase {
  readonly policy: string;
  readonly rule?: string;
  readonly kind?: string;
  readonly resource: string;
  readonly expected: string;
  readonly found: KyvernoVerdict;
  readonly ok: boolean;
  /** What the policy said, or why there is no verdict. */
  readonly message?: string;
  /** From the expected object to the one that came out, when they differ. */
  readonly difference?: readonly PatchOperation[];
  /** Where the row stands in the test document. */
  readonly path: DocumentPath;
}

export interface KyvernoTestRun {
  readonly name: string;
  readonly cases: readonly KyvernoTestCase[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Names of the files that a test needs, as it gives them. */
export function kyvernoTestFiles(document: Document): readonly string[] {
  const { value } = checkShape(kyvernoTest, document);
  if (value === undefined) return [];
  const patched = (value.results ?? []).flatMap((row) => row.patchedResources ?? row.patchedResource ?? []);
  return [
    ...new Set([
      ...(value.policies ?? []),
      ...(value.resources ?? []),
      ...(value.targetResources ?? []),
      ...(value.parameterResources ?? []),
      ...[value.variables, value.userinfo, value.context].flatMap((file) => file ?? []),
      ...patched,
    ]),
  ];
}

/**
 * Runs a test of Kyverno's command line against policies as this engine understands them. Policies, resources and rows that
 * are named and not there are errors, never passes. Pure: files come in as documents.
 */
export function runKyvernoTest(document: Document, parts: KyvernoTestParts): KyvernoTestRun {
  const checked = checkShape(kyvernoTest, document);
  if (checked.value === undefined) return { name: '', cases: [], diagnostics: checked.diagnostics };
  const run = new TestRun(document, checked.value, parts);
  return run.run();
}

interface TestResource {
  readonly object: JsonObject;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

class TestRun {
  readonly #document: Document;
  readonly #test: KyvernoTestDocument;
  readonly #parts: KyvernoTestParts;
  readonly #diagnostics: Diagnostic[] = [];

  constructor(document: Document, test: KyvernoTestDocument, parts: KyvernoTestParts) {
    this.#document = document;
    this.#test = test;
    this.#parts = parts;
  }

  run(): KyvernoTestRun {
    const test = this.#test;
    const name = test.metadata?.name ?? test.name ?? '';
    const policies = this.#documents('policies', test.policies);
    const resources = this.#documents('resources', [...(test.resources ?? []), ...(test.targetResources ?? [])]).map(resourceOf);
    const compiled = this.#parts.compile(policies);
    this.#diagnostics.push(...compiled.diagnostics);
    const known = new Map((compiled.program?.rules ?? []).map((rule) => [rule.name, rule.kind]));
    const cases: KyvernoTestCase[] = [];
    for (const [index, row] of (test.results ?? []).entries()) {
      const path = ['results', index];
      const policyName = row.policy.includes('/') ? row.policy.slice(row.policy.indexOf('/') + 1) : row.policy;
      if (compiled.program === undefined || !known.has(policyName)) {
        const message = compiled.program === undefined ? 'the policies do not compile' : `no policy is called ${row.policy}`;
        this.#error([...path, 'policy'], 'kyverno-test-policy', message);
        cases.push(...this.#failures(row, path, message));
        continue;
      }
      cases.push(...this.#row(row, path, policyName, resources, compiled.program));
    }
    return { name, cases, diagnostics: this.#diagnostics };
  }

  #failures(row: KyvernoTestRow, path: DocumentPath, message: string): KyvernoTestCase[] {
    return (namesOf(row) ?? ['']).map((resource) => ({ ...rowHead(row), resource, found: 'error', ok: false, message, path }));
  }

  #row(
    row: KyvernoTestRow,
    path: DocumentPath,
    policyName: string,
    resources: readonly TestResource[],
    program: AdmissionProgram,
  ): KyvernoTestCase[] {
    const names = namesOf(row);
    const ofKind = resources.filter((resource) => row.kind === undefined || resource.kind === row.kind);
    const wanted: readonly (readonly [string, TestResource | undefined])[] =
      names === undefined
        ? ofKind.map((resource) => [resource.name, resource])
        : names.map((name) => [name, findResource(ofKind, name, row.namespace)]);
    return wanted.map(([name, resource], position): KyvernoTestCase => {
      if (resource === undefined) {
        const message = `no ${row.kind ?? 'resource'} is called ${name}`;
        this.#error(names === undefined ? path : [...path, 'resources', position], 'kyverno-test-resource', message);
        return { ...rowHead(row), resource: name, found: 'error', ok: false, message, path };
      }
      return this.#decide(row, path, name, policyName, resource, program);
    });
  }

  #decide(
    row: KyvernoTestRow,
    path: DocumentPath,
    name: string,
    policyName: string,
    resource: TestResource,
    program: AdmissionProgram,
  ): KyvernoTestCase {
    const values = this.#values();
    const request = objectRequest(resource.object, {
      operation: operationOf(values, policyName, resource.name),
      user: this.#user(),
      namespace: 'default',
      types: this.#parts.types,
    });
    const answer = program.admit(request, this.#facts(values), { phase: 'all', explain: true });
    if (answer.kind === 'needs') {
      const message = `a fact is missing: ${JSON.stringify(answer.needs[0])}`;
      return { ...rowHead(row), resource: name, found: 'error', ok: false, message, path };
    }
    const { found, message } = verdictOf(answer.decision, policyName);
    const expected = expectedOf(row);
    const golden = row.patchedResources ?? row.patchedResource;
    const common = { ...rowHead(row), resource: name, found, path, ...(message === undefined ? {} : { message }) };
    if (golden === undefined || found === 'error') return { ...common, ok: found === expected };
    const wanted = this.#golden(golden, resource, path);
    const result = wanted === undefined ? undefined : comparable(answer.decision.object ?? {}, resource, wanted);
    const equal = wanted !== undefined && jsonEqual(result, comparable(wanted, resource, wanted));
    // A mutation that came out otherwise is what `fail` stands for.
    const verdict: KyvernoVerdict = found === 'pass' && !equal ? 'fail' : found;
    const ok = verdict === expected;
    if (wanted === undefined) return { ...common, found: verdict, ok, message: `${golden} has no ${resource.kind} ${resource.name}` };
    return { ...common, found: verdict, ok, ...(equal ? {} : { difference: diffJson(wanted, result as Json) }) };
  }

  #golden(file: string, resource: TestResource, path: DocumentPath): JsonObject | undefined {
    const documents = this.#parts.files(file);
    if (documents === undefined) this.#error([...path, 'patchedResources'], 'kyverno-test-file', `${file} can't be read`);
    const found = (documents ?? []).map(resourceOf).filter((each) => each.kind === resource.kind && each.name === resource.name);
    return (found.find((each) => each.namespace === resource.namespace) ?? found[0])?.object;
  }

  #documents(field: string, names: readonly string[] | undefined): readonly Document[] {
    return (names ?? []).flatMap((name, index) => {
      const found = this.#parts.files(name);
      if (found === undefined) this.#error([field, index], 'kyverno-test-file', `${name} can't be read`);
      return found ?? [];
    });
  }

  #file(name: string | undefined, field: string): Document | undefined {
    if (name === undefined) return undefined;
    const found = this.#parts.files(name);
    if (found === undefined) this.#error([field], 'kyverno-test-file', `${name} can't be read`);
    return found?.[0];
  }

  #values(): KyvernoValues {
    const document = this.#file(this.#test.variables, 'variables');
    if (document === undefined) return {};
    const checked = checkShape(kyvernoValues, document);
    if (checked.value === undefined) this.#diagnostics.push(...checked.diagnostics);
    return checked.value ?? {};
  }

  #user(): UserInfo {
    const found = this.#file(this.#test.userinfo, 'userinfo')?.value;
    const info = isJsonObject(found) ? ownValue(found, 'userInfo') : undefined;
    return isJsonObject(info) ? (info as unknown as UserInfo) : {};
  }

  #facts(values: KyvernoValues): AdmissionFacts {
    const context = this.#file(this.#test.context, 'context')?.value;
    const spec = isJsonObject(context) ? ownValue(context, 'spec') : undefined;
    const mocked = isJsonObject(spec) ? ownValue(spec, 'resources') : undefined;
    const labelled = (values.namespaceSelector ?? []).map(
      ({ name, labels }): JsonObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: labels ?? {} } }),
    );
    const images = imagesOf(isJsonObject(spec) ? ownValue(spec, 'images') : undefined);
    const resources = [
      ...((values.namespaces ?? []) as readonly Json[]),
      ...labelled,
      ...(Array.isArray(mocked) ? (mocked as readonly Json[]) : []),
    ];
    const recorded = recordedFacts(resources.filter(isJsonObject));
    return { ...recorded, image: (name) => images.get(name) ?? null, ...(this.#parts.now === undefined ? {} : { now: this.#parts.now }) };
  }

  #error(path: DocumentPath, code: string, message: string): void {
    const diagnostic = diagnosticAt(this.#document, path, { code, message });
    if (!this.#diagnostics.some((other) => isError(other) && other.path === diagnostic.path && other.message === message)) {
      this.#diagnostics.push(diagnostic);
    }
  }
}

/** `images` of a Context document: what a registry would say. */
function imagesOf(images: Json | undefined): ReadonlyMap<string, JsonObject> {
  const byName = new Map<string, JsonObject>();
  for (const entry of Array.isArray(images) ? (images as readonly Json[]) : []) {
    const name = isJsonObject(entry) ? ownValue(entry, 'image') : undefined;
    if (typeof name === 'string') byName.set(name, entry as JsonObject);
  }
  return byName;
}

function rowHead(row: KyvernoTestRow) {
  return {
    policy: row.policy,
    ...(row.rule === undefined ? {} : { rule: row.rule }),
    ...(row.kind === undefined ? {} : { kind: row.kind }),
    expected: expectedOf(row),
  };
}

const expectedOf = (row: KyvernoTestRow): string => row.result ?? row.status ?? 'pass';

function namesOf(row: KyvernoTestRow): readonly string[] | undefined {
  return row.resources ?? (row.resource === undefined ? undefined : [row.resource]);
}

function resourceOf(document: Document): TestResource {
  const object = isJsonObject(document.value) ? document.value : {};
  const metadata = ownValue(object, 'metadata');
  const read = (value: Json | undefined, key: string) => {
    const found = isJsonObject(value) ? ownValue(value, key) : undefined;
    return typeof found === 'string' ? found : '';
  };
  return { object, kind: read(object, 'kind'), namespace: read(metadata, 'namespace'), name: read(metadata, 'name') };
}

/** `name` or `namespace/name`; objects that name no namespace are in `default`. */
function findResource(resources: readonly TestResource[], wanted: string, namespace: string | undefined): TestResource | undefined {
  const slash = wanted.indexOf('/');
  const name = slash < 0 ? wanted : wanted.slice(slash + 1);
  const within = slash < 0 ? namespace : wanted.slice(0, slash);
  return resources.find(
    (resource) =>
      resource.name === name &&
      (within === undefined || resource.namespace === within || (resource.namespace === '' && within === 'default')),
  );
}

const OPERATIONS: readonly string[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

function operationOf(values: KyvernoValues, policy: string, resource: string): Operation {
  const own = values.policies?.find((each) => each.name === policy)?.resources?.find((each) => each.name === resource)?.values;
  const found = own?.['request.operation'] ?? values.globalValues?.['request.operation'];
  return typeof found === 'string' && OPERATIONS.includes(found) ? (found as Operation) : 'CREATE';
}

function verdictOf(decision: AdmissionDecision, policy: string): { readonly found: KyvernoVerdict; readonly message?: string | undefined } {
  const own = decision.outcomes.filter((outcome) => outcome.rule === policy);
  const error = own.find((outcome) => outcome.result === 'error');
  if (error !== undefined) return { found: 'error', message: error.message };
  const failed = own.find((outcome) => outcome.result === 'deny' || outcome.result === 'warn' || outcome.result === 'audit');
  if (failed !== undefined) return { found: 'fail', message: failed.message };
  return own.some((outcome) => outcome.result === 'allow' || outcome.result === 'mutate') ? { found: 'pass' } : { found: 'skip' };
}

/**
 * An object for comparison: without the namespace that was filled in to make a request of it, unless the expected object has
 * one, and without empty lists, which a Kubernetes object does not keep.
 */
function comparable(object: JsonObject, resource: TestResource, wanted: JsonObject): Json {
  const metadata = ownValue(object, 'metadata');
  const expected = ownValue(wanted, 'metadata');
  const filledIn = resource.namespace === '' && !(isJsonObject(expected) && Object.hasOwn(expected, 'namespace'));
  if (!filledIn || !isJsonObject(metadata)) return withoutEmptyLists(object);
  const { namespace: _filledIn, ...rest } = metadata;
  return withoutEmptyLists({ ...object, metadata: rest });
}

function withoutEmptyLists(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withoutEmptyLists(item));
  if (!isJsonObject(value)) return value;
  const kept: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) {
    if (!(Array.isArray(item) && item.length === 0)) setOwn(kept, key, withoutEmptyLists(item));
  }
  return kept;
}
