import { builtInTypes } from '../../../../../engine/bundle/built-in-types.ts';
import type { JsonObject } from '../../../../../engine/object/json.ts';
import type { MapSchema } from '../../../../../engine/object/schema.ts';
import { parseApiVersion } from '../../../../../engine/object/type-table.ts';
import { customResourceDefinitionStrategy } from '../../custom-resources/definition-strategy.ts';
import type { FieldError } from '../../field-error.ts';
import type { GroupResource } from '../../registry.ts';
import { CORE_DEFAULTS } from '../defaults/core.ts';
import { withDefaults } from '../defaults/default-values.ts';
import { OTHER_DEFAULTS } from '../defaults/others.ts';
import type { Strategy } from '../definition.ts';
import { withGoZeroes, zeroOf } from '../go-zeroes.ts';
import { requiredFieldErrors } from '../required-fields.ts';
import * as access from './access-rules.ts';
import { configMapStrategy, secretStrategy } from './configuration.ts';
import { eventStrategy } from './events.ts';
import { cronJobStrategy, jobStrategy } from './jobs.ts';
import { leaseStrategy } from './leases.ts';
import { namespaceStrategy } from './namespaces.ts';
import * as others from './others.ts';
import { podStrategy } from './pods.ts';
import { serviceStrategy } from './services.ts';
import { webhookConfigurationStrategy } from './webhook-configurations.ts';
import {
  daemonSetStrategy,
  deploymentStrategy,
  replicaSetStrategy,
  replicationControllerStrategy,
  statefulSetStrategy,
} from './workloads.ts';

/** What is special about each of Kubernetes' kinds, by where its objects are stored. */
const STRATEGIES: ReadonlyMap<GroupResource, Strategy> = new Map<GroupResource, Strategy>([
  ['/namespaces', namespaceStrategy],
  ['/configmaps', configMapStrategy],
  ['/secrets', secretStrategy],
  ['/pods', podStrategy],
  ['/services', serviceStrategy],
  ['/nodes', others.nodeStrategy],
  ['/events', eventStrategy],
  ['/endpoints', others.endpointsStrategy],
  ['/limitranges', others.endpointsStrategy],
  ['/resourcequotas', others.resourceQuotaStrategy],
  ['/serviceaccounts', others.serviceAccountStrategy],
  ['/podtemplates', others.podTemplateStrategy],
  ['/persistentvolumes', others.persistentVolumeStrategy],
  ['/persistentvolumeclaims', others.persistentVolumeClaimStrategy],
  ['/replicationcontrollers', replicationControllerStrategy],
  ['apps/deployments', deploymentStrategy],
  ['apps/replicasets', replicaSetStrategy],
  ['apps/daemonsets', daemonSetStrategy],
  ['apps/statefulsets', statefulSetStrategy],
  ['apps/controllerrevisions', others.controllerRevisionStrategy],
  ['batch/jobs', jobStrategy],
  ['batch/cronjobs', cronJobStrategy],
  ['autoscaling/horizontalpodautoscalers', others.autoscalerStrategy],
  ['coordination.k8s.io/leases', leaseStrategy],
  ['policy/poddisruptionbudgets', others.disruptionBudgetStrategy],
  ['networking.k8s.io/ingresses', others.ingressStrategy],
  ['networking.k8s.io/ingressclasses', others.countedSpec],
  ['networking.k8s.io/networkpolicies', others.countedSpec],
  ['rbac.authorization.k8s.io/roles', access.roleStrategy],
  ['rbac.authorization.k8s.io/clusterroles', access.clusterRoleStrategy],
  ['rbac.authorization.k8s.io/rolebindings', access.roleBindingStrategy],
  ['rbac.authorization.k8s.io/clusterrolebindings', access.clusterRoleBindingStrategy],
  ['discovery.k8s.io/endpointslices', others.countedWhole],
  ['scheduling.k8s.io/priorityclasses', others.priorityClassStrategy],
  ['certificates.k8s.io/certificatesigningrequests', others.signingRequestStrategy],
  ['admissionregistration.k8s.io/validatingwebhookconfigurations', webhookConfigurationStrategy],
  ['admissionregistration.k8s.io/mutatingwebhookconfigurations', webhookConfigurationStrategy],
  ['admissionregistration.k8s.io/validatingadmissionpolicies', others.reportedGuarded],
  ['admissionregistration.k8s.io/validatingadmissionpolicybindings', others.guardedSpec],
  ['admissionregistration.k8s.io/mutatingadmissionpolicies', others.guardedSpec],
  ['admissionregistration.k8s.io/mutatingadmissionpolicybindings', others.guardedSpec],
  ['apiextensions.k8s.io/customresourcedefinitions', customResourceDefinitionStrategy],
  ['apiregistration.k8s.io/apiservices', { ...others.plainNames, unconditionalUpdate: false }],
  ['flowcontrol.apiserver.k8s.io/flowschemas', others.countedSpec],
  ['flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', others.countedSpec],
  ['networking.k8s.io/servicecidrs', others.reportedPlain],
  ['storage.k8s.io/volumeattachments', others.reportedPlain],
  ['storage.k8s.io/csinodes', others.reportedPlain],
  ['certificates.k8s.io/podcertificaterequests', others.reportedPlain],
  ['storagemigration.k8s.io/storageversionmigrations', others.reportedPlain],
  ['resource.k8s.io/resourceclaims', others.reportedPlain],
  ['resource.k8s.io/devicetaintrules', others.reportedSpec],
  ['resource.k8s.io/resourceslices', others.countedSpec],
  ['resource.k8s.io/deviceclasses', others.countedSpec],
]);

/** Each kind's own defaulting, by type. */
const DEFAULTERS = new Map([...CORE_DEFAULTS, ...OTHER_DEFAULTS]);

/** The strategy of one of Kubernetes' kinds: its own, with the defaults and the required fields of its type. */
export function builtInStrategy(storedIn: GroupResource, apiVersion: string, kind: string): Strategy {
  const own = STRATEGIES.get(storedIn) ?? others.plainNames;
  const { group, version } = parseApiVersion(apiVersion);
  const schema: MapSchema | undefined = builtInTypes([]).kind(group, version, kind);
  if (schema === undefined) return own;
  return {
    ...own,
    defaults(object) {
      const complete = withGoZeroes(own.defaults?.(object) ?? object, schema.name ?? '') as JsonObject;
      return withDefaults(complete, schema, DEFAULTERS) as JsonObject;
    },
    emptyObject: zeroOf(schema.name ?? '') as JsonObject,
    ...(COMPLETE.has(storedIn)
      ? {}
      : {
          validate: (object, context) => withRequired(own.validate?.(object, context) ?? [], object, schema),
          validateUpdate: (object, old, context) => withRequired(own.validateUpdate?.(object, old, context) ?? [], object, schema),
        }),
  };
}

/** Kinds whose own rules speak of every required field, and of some in other places than where they are. */
const COMPLETE: ReadonlySet<GroupResource> = new Set<GroupResource>(['apiextensions.k8s.io/customresourcedefinitions']);

/** A kind's own rules and the required fields of its type often say the same. */
function withRequired(errors: readonly FieldError[], object: JsonObject, schema: MapSchema): readonly FieldError[] {
  const seen = new Set(errors.map(({ field, type }) => `${type} ${field}`));
  const required = requiredFieldErrors(object, schema).filter(({ field, type }) => !seen.has(`${type} ${field}`));
  return required.length === 0 ? errors : [...errors, ...required];
}
