import type { JsonObject } from './cel-pods.ts';

/** An expression as policies have them, and what an engineer would write for it by hand. */
export interface PolicyExpression {
  readonly name: string;
  readonly expression: string;
  /** The hand-written ceiling. Like the expression it trusts nothing about the object. */
  readonly byHand: (object: JsonObject) => unknown;
}

// The hand-written functions read a shape that may not be there, which is what `any` of optional fields says best.
interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly resources?: { readonly limits?: Record<string, string>; readonly requests?: Record<string, string> };
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly privileged?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
}
interface Pod {
  readonly metadata: { readonly namespace: string; readonly labels?: Record<string, string> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly hostNetwork?: boolean;
    readonly replicas?: number;
    readonly terminationGracePeriodSeconds?: number;
    readonly volumes: readonly { readonly name: string; readonly hostPath?: unknown; readonly configMap?: unknown }[];
  };
}
const pod = (object: JsonObject): Pod => object as unknown as Pod;
const TIER = /^[a-z]+$/;

/** Nine expressions in the manner of published policies: they cover what nearly all of those do. */
export const POLICY_EXPRESSIONS: readonly PolicyExpression[] = [
  {
    name: 'no latest image',
    expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
    byHand: (object) => {
      for (const c of pod(object).spec.containers) if (c.image!.endsWith(':latest')) return false;
      return true;
    },
  },
  {
    name: 'filter, has, in, size',
    expression:
      "object.spec.containers.filter(c, has(c.securityContext) && has(c.securityContext.privileged) && c.name in ['web', 'proxy']).size() <= 2",
    byHand: (object) => {
      const found = [];
      for (const c of pod(object).spec.containers) {
        if (c.securityContext !== undefined && c.securityContext.privileged !== undefined && (c.name === 'web' || c.name === 'proxy'))
          found.push(c);
      }
      return found.length <= 2;
    },
  },
  {
    name: 'label exists and matches',
    expression:
      "has(object.metadata.labels) && object.metadata.labels.exists(k, k == 'tier') && object.metadata.labels['tier'].matches('^[a-z]+$')",
    byHand: (object) => {
      const { labels } = pod(object).metadata;
      if (labels === undefined) return false;
      let found = false;
      for (const key of Object.keys(labels)) {
        if (key === 'tier') {
          found = true;
          break;
        }
      }
      return found && TIER.test(labels['tier']!);
    },
  },
  {
    name: 'has',
    expression: '!has(object.spec.hostNetwork) || object.spec.hostNetwork == false',
    byHand: (object) => {
      const { hostNetwork } = pod(object).spec;
      return hostNetwork === undefined || hostNetwork === false;
    },
  },
  {
    name: 'in list',
    expression: "object.metadata.namespace in ['default', 'shop', 'kube-system', 'monitoring']",
    byHand: (object) => {
      const { namespace } = pod(object).metadata;
      return namespace === 'default' || namespace === 'shop' || namespace === 'kube-system' || namespace === 'monitoring';
    },
  },
  {
    name: 'security context, six has',
    expression:
      'object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot == true && ' +
      'has(c.securityContext.allowPrivilegeEscalation) && c.securityContext.allowPrivilegeEscalation == false && ' +
      "has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && c.securityContext.capabilities.drop.exists(d, d == 'ALL') && " +
      '(!has(c.securityContext.privileged) || c.securityContext.privileged == false))',
    byHand: (object) => {
      for (const c of pod(object).spec.containers) {
        const s = c.securityContext;
        if (s === undefined || s.runAsNonRoot !== true || s.allowPrivilegeEscalation !== false) return false;
        const drop = s.capabilities?.drop;
        if (drop === undefined || !drop.includes('ALL')) return false;
        if (s.privileged !== undefined && s.privileged !== false) return false;
      }
      return true;
    },
  },
  {
    name: 'map, concatenation, contains',
    expression: "object.spec.containers.map(c, c.name + '=' + c.image).exists(s, s.contains('registry.example.com/'))",
    byHand: (object) => {
      const names = [];
      for (const c of pod(object).spec.containers) names.push(c.name + '=' + c.image);
      for (const name of names) if (name.includes('registry.example.com/')) return true;
      return false;
    },
  },
  {
    name: 'integer arithmetic',
    expression: 'object.spec.replicas * 2 + object.spec.terminationGracePeriodSeconds - 1 < 100 && object.spec.replicas % 2 == 1',
    byHand: (object) => {
      const { replicas, terminationGracePeriodSeconds } = pod(object).spec;
      return replicas! * 2 + terminationGracePeriodSeconds! - 1 < 100 && replicas! % 2 === 1;
    },
  },
  {
    name: 'volumes',
    expression: 'object.spec.volumes.all(v, !has(v.hostPath)) && object.spec.volumes.exists(v, has(v.configMap))',
    byHand: (object) => {
      const { volumes } = pod(object).spec;
      for (const v of volumes) if (v.hostPath !== undefined) return false;
      for (const v of volumes) if (v.configMap !== undefined) return true;
      return false;
    },
  },
];
