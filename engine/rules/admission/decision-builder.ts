import { goJson } from '../../object/go-json.ts';
import { AUDIT_ANNOTATION_LIMIT_BYTES, AUDIT_FAILURE_LIMIT } from './budgets.ts';
import type { AdmissionStatus, RuleOutcome } from './decision.ts';
import { cutUtf8 } from './go-text.ts';
import type { Policy, PolicyBinding, Reason, ValidationAction } from './policy.ts';
import { REASON_CODES } from './policy.ts';
import type { AnnotationDecision } from './validate.ts';

/** Key of the audit annotation that lists failed validations. Kubernetes: validating/dispatcher.go. */
const FAILURE_ANNOTATION = 'validation.policy.admission.k8s.io/validation_failure';

const MAX_NAMED_DENIALS = 10;

interface Denial {
  readonly policy: Policy;
  readonly message: string;
  readonly status: AdmissionStatus;
}

interface AuditedFailure {
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly expressionIndex: number;
  readonly validationActions: readonly ValidationAction[];
}

/** Gathers what policies say of one request. */
export class DecisionBuilder {
  readonly #denials: Denial[] = [];
  readonly #warnings = new Set<string>();
  readonly #failures: AuditedFailure[] = [];
  readonly #annotations = new Map<string, string[]>();
  readonly outcomes: RuleOutcome[] = [];

  get denied(): boolean {
    return this.#denials.length > 0;
  }

  /** A denial of a validation, or an error that counts as one, with what the binding's actions make of it. */
  fail(
    policy: Policy,
    binding: PolicyBinding,
    message: string,
    reason: Reason,
    position: number,
    index: number | undefined,
    isError: boolean,
  ): void {
    for (const action of binding.actions) {
      if (action === 'Deny') this.deny(policy, binding.name, message, REASON_CODES[reason], reason);
      else if (action === 'Warn') this.#warnings.add(policy.dialect.warned(policy, binding.name, message));
      else {
        this.#failures.push({
          message,
          policy: policy.name,
          binding: binding.name ?? '',
          expressionIndex: position,
          validationActions: binding.actions,
        });
      }
    }
    const result = isError ? 'error' : binding.actions.includes('Deny') ? 'deny' : binding.actions.includes('Warn') ? 'warn' : 'audit';
    this.outcomes.push({ ...ruleOf(policy, binding.name), result, message, ...(index === undefined ? {} : { index }) });
  }

  /** Denies the request, in the words of the policy's kind. */
  deny(policy: Policy, binding: string | undefined, message: string, code: number, reason: string): void {
    this.denyWithStatus(policy, { message: policy.dialect.denied(policy, binding, message), reason, code }, message);
  }

  /** Denies the request with a status as it is. */
  denyWithStatus(policy: Policy, status: AdmissionStatus, message: string = status.message): void {
    this.#denials.push({ policy, message, status });
  }

  /** Kubernetes: validating/dispatcher.go auditAnnotationCollector. */
  annotate(policy: Policy, annotation: AnnotationDecision & { readonly kind: 'publish' }): void {
    const key = `${policy.name}/${annotation.key}`;
    const value = cutUtf8(annotation.value, AUDIT_ANNOTATION_LIMIT_BYTES);
    const values = this.#annotations.get(key);
    if (values === undefined) this.#annotations.set(key, [value]);
    else if (!values.includes(value)) values.push(value);
  }

  warnings(): readonly string[] {
    return [...this.#warnings];
  }

  auditAnnotations(): Readonly<Record<string, string>> {
    const annotations: Record<string, string> = {};
    for (const [key, values] of this.#annotations) annotations[key] = values.join(', ');
    if (this.#failures.length > 0) annotations[FAILURE_ANNOTATION] = goJson(this.#failures.slice(0, AUDIT_FAILURE_LIMIT));
    return annotations;
  }

  /** The first denial speaks; where its kind asks for it, the others of such kinds are named too. */
  status(): AdmissionStatus | undefined {
    const [first, ...others] = this.#denials;
    if (first === undefined || !first.policy.dialect.nameAllDenials) return first?.status;
    const named = [first, ...others.filter((denial) => denial.policy.dialect.nameAllDenials)];
    const texts = [...new Set(named.map((denial) => denial.status.message))];
    const rest = texts.length - MAX_NAMED_DENIALS;
    const message = texts.slice(0, MAX_NAMED_DENIALS).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
    return { ...first.status, message };
  }
}

export function ruleOf(policy: Policy, binding: string | undefined): Pick<RuleOutcome, 'ruleKind' | 'rule' | 'binding'> {
  return { ruleKind: policy.kind, rule: policy.name, ...(binding === undefined ? {} : { binding }) };
}
