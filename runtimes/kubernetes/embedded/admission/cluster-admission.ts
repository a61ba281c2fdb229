import type { Clock } from '../../../host/clock.ts';
import type { RbacAuthorizer } from '../authorization/rbac-authorizer.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import type { Admission } from '../hooks.ts';
import type { Registry } from '../registry.ts';
import { type ResolveService, registryServices } from '../service-connection/service-resolver.ts';
import { admissionChain } from './chain.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { mutatingPolicies, policyValidation, validatingPolicies } from './policies.ts';
import { PolicySet } from './policy-set.ts';
import { policyStatusController } from './policy-status.ts';
import { createSystemPriorityClasses, priority } from './priority.ts';
import { registryFacts } from './registry-facts.ts';
import { quotaController, resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { MUTATING, VALIDATING, WebhookSet } from './webhook-set.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

export interface ClusterAdmissionOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly uuid: () => string;
  /** Lower case letters and digits, for names. */
  readonly randomText: (length: number) => string;
  /** Answers the authorizer in expressions. Without it everything is allowed there. */
  readonly authorizer?: RbacAuthorizer;
  /** Where webhooks behind services are. Default: where the registry's endpoints say. */
  readonly resolve?: ResolveService;
  /** Told of webhooks that failed and were let pass, because they say so. */
  readonly onIgnored?: (webhook: string, why: string) => void;
}

/** The admission of a cluster. */
export interface ClusterAdmission {
  readonly admission: Admission;
  /** What keeps the status of policies and quotas. */
  controllers(view: ClusterView): readonly Controller[];
  /** Makes what every cluster starts with: the priority classes of the system. */
  bootstrap(): Promise<void>;
  /** Ends connections to webhooks. */
  close(): void;
}

/** All plugins in the order in which the API server has them. Kubernetes: pkg/kubeapiserver/options/plugins.go AllOrderedPlugins. */
export function clusterAdmission(options: ClusterAdmissionOptions): ClusterAdmission {
  const { registry, clock, uuid, randomText, authorizer, resolve = registryServices(registry), onIgnored = () => {} } = options;
  const policies = new PolicySet(registry);
  const facts = registryFacts(registry, authorizer);
  const mutating = new WebhookSet(registry, MUTATING, () => policies.types);
  const validating = new WebhookSet(registry, VALIDATING, () => policies.types);
  const calls = { facts, resolve, clock, uuid, onIgnored };
  return {
    admission: admissionChain([
      namespaceLifecycle,
      limitRanger(registry),
      serviceAccount(registry, randomText),
      priority(registry),
      defaultStorageClass(registry),
      policyValidation(policies),
      mutatingPolicies(policies, facts, uuid),
      mutatingWebhooks({ ...calls, webhooks: mutating }),
      validatingPolicies(policies, facts, uuid),
      validatingWebhooks({ ...calls, webhooks: validating }),
      // Last, so that nothing counts that is refused for another reason.
      resourceQuota(registry),
    ]),
    controllers: (view) => [policyStatusController(registry, view, policies), quotaController(registry, view)],
    bootstrap: () => createSystemPriorityClasses(registry),
    close() {
      mutating.close();
      validating.close();
    },
  };
}
