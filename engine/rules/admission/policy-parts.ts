import { BOOL, DYN, NULL, STRING } from '../../cel/types.ts';
import { parseApiVersion } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import { type ConstraintOptions, lowerConstraint } from './cue/lower-constraint.ts';
import type {
  AuditAnnotationDocument,
  MatchConditionDocument,
  ParamRefDocument,
  RuleValidationDocument,
  ValidationActionDocument,
  ValidationDocument,
} from './document.ts';
import type { ExpressionCompiler } from './expressions.ts';
import { compileSelector } from './label-selection.ts';
import { supported } from './match-criteria.ts';
import { isDnsLabel1035, isDnsSubdomain, isPathSegmentName, isQualifiedName } from './names.ts';
import type { AuditAnnotation, MatchCondition, ParamRef, Validation } from './policy.ts';

/*
 * The parts that several kinds have in common, checked as the API server checks them at creation.
 * Kubernetes: pkg/apis/admissionregistration/validation/validation.go.
 */

const MAX_MATCH_CONDITIONS = 64;
const MAX_AUDIT_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION = 5 * 1024;

export function lowerMatchConditions(
  report: Reporter,
  path: DocumentPath,
  documents: readonly MatchConditionDocument[] | undefined,
  expressions: ExpressionCompiler,
  options: { readonly variables?: boolean; readonly anyName?: boolean } = {},
): MatchCondition[] {
  const conditions: MatchCondition[] = [];
  const names = new Set<string>();
  if (documents !== undefined && documents.length > MAX_MATCH_CONDITIONS) {
    report.error(path, 'admission-too-many', `Too many: ${documents.length}: must have at most ${MAX_MATCH_CONDITIONS} items`);
  }
  for (const [index, { name, expression }] of (documents ?? []).entries()) {
    const at = [...path, index];
    const wrong = name === '' ? 'Required value' : options.anyName ? undefined : prefixed(name, isQualifiedName(name));
    if (wrong !== undefined) report.error([...at, 'name'], name === '' ? 'admission-required' : 'admission-invalid', wrong);
    if (names.has(name)) report.error([...at, 'name'], 'admission-duplicate', `Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
    const scope = { authorizer: true, ...(options.variables ? { variables: true } : {}) };
    const compiled = expressions.compile([...at, 'expression'], expression, scope, { resultTypes: [BOOL] });
    if (compiled !== undefined) conditions.push({ name, expression: compiled });
  }
  return conditions;
}

const prefixed = (value: string, wrong: string | undefined) =>
  wrong === undefined ? undefined : `Invalid value: ${JSON.stringify(value)}: ${wrong}`;

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];

export function lowerValidations(
  report: Reporter,
  path: DocumentPath,
  documents: readonly (ValidationDocument | RuleValidationDocument)[] | undefined,
  expressions: ExpressionCompiler,
  options: { readonly variables: boolean; readonly anyReason?: boolean; readonly lenient?: boolean } & ConstraintOptions,
): Validation[] {
  const validations: Validation[] = [];
  for (const [index, document] of (documents ?? []).entries()) {
    const at = [...path, index];
    const { message, messageExpression, reason = 'Invalid' } = document;
    const resultTypes = options.lenient ? [BOOL, DYN] : [BOOL];
    const scope = { authorizer: true, variables: options.variables };
    const constraint =
      'cue' in document && document.cue !== undefined
        ? lowerConstraint(report, [...at, 'cue'], document.cue, expressions, options)
        : undefined;
    const expression =
      document.expression === undefined
        ? constraint?.expression
        : expressions.compile([...at, 'expression'], document.expression, scope, { resultTypes });
    const text = messageExpression === undefined || messageExpression === '' ? undefined : messageExpression;
    const compiledMessage =
      text === undefined
        ? message === undefined
          ? constraint?.messageExpression
          : undefined
        : expressions.compile(
            [...at, 'messageExpression'],
            text,
            { variables: options.variables },
            { resultTypes: options.lenient ? [STRING, DYN] : [STRING] },
          );
    if (message !== undefined && message !== '') {
      const quoted = JSON.stringify(message);
      if (message.trim() === '') {
        report.error([...at, 'message'], 'admission-invalid', `Invalid value: ${quoted}: must be non-empty if specified`);
      } else if (!options.lenient && /[\n\r]/.test(message.trim())) {
        report.error([...at, 'message'], 'admission-invalid', `Invalid value: ${quoted}: must not contain line breaks`);
      }
    }
    if (!options.anyReason && !options.lenient) supported(report, [...at, 'reason'], reason, REASONS);
    if (expression === undefined) continue;
    validations.push({
      expression,
      ...(message === undefined ? {} : { message }),
      ...(compiledMessage === undefined ? {} : { messageExpression: compiledMessage }),
      reason,
      index,
    });
  }
  return validations;
}

export function lowerAuditAnnotations(
  report: Reporter,
  path: DocumentPath,
  policyName: string,
  documents: readonly AuditAnnotationDocument[] | undefined,
  expressions: ExpressionCompiler,
  options: { readonly variables: boolean },
): AuditAnnotation[] {
  const annotations: AuditAnnotation[] = [];
  const keys = new Set<string>();
  if (documents !== undefined && documents.length > MAX_AUDIT_ANNOTATIONS) {
    report.error(path, 'admission-too-many', `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`);
  }
  for (const [index, { key, valueExpression }] of (documents ?? []).entries()) {
    const at = [...path, index];
    const wrong = prefixed(`${policyName}/${key}`, isQualifiedName(`${policyName}/${key}`));
    if (wrong !== undefined) report.error([...at, 'key'], 'admission-invalid', wrong);
    if (keys.has(key)) report.error([...at, 'key'], 'admission-duplicate', `Duplicate value: ${JSON.stringify(key)}`);
    keys.add(key);
    if (valueExpression.trim().length > MAX_VALUE_EXPRESSION) {
      report.error([...at, 'valueExpression'], 'admission-too-long', `must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`);
      continue;
    }
    const scope = { authorizer: true, variables: options.variables };
    const expression = expressions.compile([...at, 'valueExpression'], valueExpression, scope, { resultTypes: [STRING, NULL] });
    if (expression !== undefined) annotations.push({ key, expression });
  }
  return annotations;
}

export function checkParamKind(
  report: Reporter,
  path: DocumentPath,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): void {
  const invalid = (field: string, value: string, wrong: string | undefined) => {
    if (wrong !== undefined) report.error([...path, field], 'admission-invalid', `Invalid value: ${JSON.stringify(value)}: ${wrong}`);
  };
  if (apiVersion === '') report.error([...path, 'apiVersion'], 'admission-required', 'Required value');
  else {
    const parts = apiVersion.split('/');
    if (parts.length > 2) invalid('apiVersion', apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    else {
      const [group, version] = parts.length === 2 ? [parts[0]!, parts[1]!] : ['', parts[0]!];
      if (group !== '') invalid('apiVersion', group, isDnsSubdomain(group));
      invalid('apiVersion', version === '' ? apiVersion : version, version === '' ? 'version must be specified' : isDnsLabel1035(version));
    }
  }
  if (kind === '') report.error([...path, 'kind'], 'admission-required', 'Required value');
  else {
    const wrong = isDnsLabel1035(kind.toLowerCase());
    invalid('kind', kind, wrong === undefined ? undefined : `may have mixed case, but should otherwise match: ${wrong}`);
  }
}

export function lowerParamRef(report: Reporter, path: DocumentPath, document: ParamRefDocument | undefined): ParamRef | undefined {
  if (document === undefined) return undefined;
  const { name, selector } = document;
  if (name) {
    const wrong = prefixed(name, isPathSegmentName(name));
    if (wrong !== undefined) report.error([...path, 'name'], 'admission-invalid', wrong);
    if (selector !== undefined)
      report.error([...path, 'name'], 'admission-forbidden', 'Forbidden: name and selector are mutually exclusive');
  } else if (selector === undefined) {
    report.error(path, 'admission-required', 'Required value: one of name or selector must be specified');
  }
  if (document.parameterNotFoundAction === undefined) {
    report.error([...path, 'parameterNotFoundAction'], 'admission-required', 'Required value', 'say Allow or Deny');
  }
  const compiled = selector === undefined ? undefined : compileSelector(report, [...path, 'selector'], selector);
  return {
    ...(name ? { name } : {}),
    ...(document.namespace ? { namespace: document.namespace } : {}),
    ...(compiled?.matches === undefined ? {} : { selector: compiled.matches }),
    ...(compiled === undefined || compiled.text === '' ? {} : { selectorText: compiled.text }),
    notFound: document.parameterNotFoundAction ?? 'Deny',
  };
}

export function checkActions(report: Reporter, path: DocumentPath, actions: readonly ValidationActionDocument[] | undefined): void {
  if (actions === undefined || actions.length === 0) {
    report.error(path, 'admission-required', 'Required value: at least one validation action is required');
    return;
  }
  for (const [index, action] of actions.entries()) {
    if (actions.indexOf(action) < index)
      report.error([...path, index], 'admission-duplicate', `Duplicate value: ${JSON.stringify(action)}`);
  }
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    report.error(path, 'admission-invalid', `Invalid value: ${JSON.stringify(actions)}: ${why}`);
  }
}

export function checkDocumentName(report: Reporter, name: string): void {
  const wrong = prefixed(name, isDnsSubdomain(name));
  if (wrong !== undefined) report.error(['metadata', 'name'], 'admission-invalid', wrong);
}

/** Where the parameter objects of a kind live, if the types tell. */
export function scopeOfKind(context: CompileContext, paramKind: { readonly apiVersion: string; readonly kind: string } | undefined) {
  if (paramKind === undefined) return {};
  const { group, version } = parseApiVersion(paramKind.apiVersion);
  const found = context.types?.resourceOf(group, version, paramKind.kind);
  return found === undefined ? {} : { paramScope: found.namespaced ? ('Namespaced' as const) : ('Cluster' as const) };
}
