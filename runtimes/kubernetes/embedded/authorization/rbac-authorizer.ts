import type { AuthorizationDecision, Authorize, RequestAttributes } from '../hooks.ts';
import type { Registry } from '../registry.ts';
import type { PolicyRule } from './kinds.ts';
import { ruleAllows } from './policy-rule.ts';
import { RbacIndex } from './rbac-index.ts';

/** Members may do everything, whatever roles say. Kubernetes: apiserver pkg/authentication/user SystemPrivilegedGroup. */
const PRIVILEGED_GROUP = 'system:masters';

/** Whether a request is allowed, and by what. */
export type Verdict = { readonly allowed: true; readonly reason: string } | { readonly allowed: false; readonly reason: '' };

/** Roles and bindings of a registry. Answers at once. Kubernetes: plugin/pkg/auth/authorizer/rbac/rbac.go. */
export class RbacAuthorizer {
  readonly #index: RbacIndex;

  constructor(registry: Registry) {
    this.#index = new RbacIndex(registry);
  }

  decide(attributes: RequestAttributes): Verdict {
    const { requester, resource } = attributes;
    if (requester.groups.includes(PRIVILEGED_GROUP)) return { allowed: true, reason: '' };
    for (const { rules, description } of this.#index.grantsOf(requester, resource?.namespace ?? ''))
      if (rules.some((rule) => ruleAllows(rule, attributes))) return { allowed: true, reason: `RBAC: allowed by ${description}` };
    return { allowed: false, reason: '' };
  }

  /** Everything a requester may do in a namespace. */
  rulesOf(requester: RequestAttributes['requester'], namespace: string): readonly PolicyRule[] {
    const everything: readonly PolicyRule[] = requester.groups.includes(PRIVILEGED_GROUP)
      ? [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
          { verbs: ['*'], nonResourceURLs: ['*'] },
        ]
      : [];
    return [...everything, ...[...this.#index.grantsOf(requester, namespace)].flatMap(({ rules }) => rules)];
  }

  readonly authorize: Authorize = async (attributes): Promise<AuthorizationDecision> => {
    const { allowed } = this.decide(attributes);
    return allowed ? { allowed } : { allowed, reason: '' };
  };
}
