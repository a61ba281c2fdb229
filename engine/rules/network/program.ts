import type { Json, JsonObject } from '../../object/json.ts';
import type { Plan } from '../../step/plan.ts';
import type { Requirement } from '../../step/requirement.ts';
import type { ObjectQuery, ObjectReference } from '../reconcile/program.ts';
import type { CniResult } from './protocol/result.ts';

/*
 * What the compiler of network rules makes, and what a runtime needs of it: data about the rule, and pure functions from an invocation
 * and facts to plans.
 */

/** One invocation of a plugin, read and validated as far as every plugin must: `protocol/` does that. */
export interface NetworkRequest {
  readonly command: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';
  readonly containerId: string;
  /** Path of the container's network namespace; `` where the verb has none. */
  readonly netns: string;
  readonly ifName: string;
  /** Of the network configuration, as it was given; results are printed in it. */
  readonly cniVersion: string;
  /** Name of the network: `name` of the configuration. */
  readonly network: string;
  /** CNI_ARGS by key. */
  readonly args: Readonly<Record<string, string>>;
  /** CNI_PATH, for plugins that are delegated to. */
  readonly path: readonly string[];
  /** The whole network configuration as it was read from standard input. */
  readonly config: JsonObject;
  /** `prevResult`, converted to the newest version. */
  readonly prevResult?: CniResult;
}

/** What a plan depends on beside the invocation. As {@link ReconcileFacts}: immediate; undefined is "not known yet", null is "there is none". */
export interface NetworkFacts {
  /** Name of this node; `` where there is no cluster. */
  readonly nodeName: string;
  object(reference: ObjectReference): JsonObject | null | undefined;
  objects(query: ObjectQuery): readonly JsonObject[] | undefined;
  /** Pods of this node that are attached to a network, in a stable order. Default: none. */
  attachments?(network: string): readonly NodeAttachment[];
}

/** A container of this node that is attached to a network. */
export interface NodeAttachment {
  readonly containerId: string;
  readonly ifName: string;
  /** Its pod, as the runtime said; `` where it said nothing. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Without prefix lengths. */
  readonly addresses: readonly string[];
}

export interface NetworkNeeds {
  readonly objects: readonly ObjectReference[];
  readonly queries: readonly ObjectQuery[];
}

/** An error as CNI knows it: `code` of the specification, or 100 and above. */
export interface CniFault {
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

export type NetworkAnswer =
  | { readonly kind: 'plan'; readonly plan: NetworkPlan }
  /** Facts that were asked for and not known: find them out, ask again. */
  | { readonly kind: 'needs'; readonly needs: NetworkNeeds }
  /** The configuration does not fit, a validation says no, or an expression failed. */
  | { readonly kind: 'fault'; readonly fault: CniFault };

/** What ADD performs. Addresses are its first step (`ipam`): of our allocator, or of another plugin (`delegate`). */
export interface NetworkPlan extends Plan {
  /** The result, of what the steps ended with, in order. Throws {@link BindError} where `result:` fails. */
  result(
    performed: readonly {
      readonly key: string;
      readonly operation: string;
      readonly arguments: JsonObject;
      readonly outputs: JsonObject;
    }[],
  ): CniResult;
  /**
   * Annotations that the pod is to get, by key, once the attachment ended so; undefined where the rule has none. Throws {@link BindError} where
   * one of them fails.
   */
  readonly podAnnotations:
    | ((performed: Parameters<NetworkPlan['result']>[0], result: CniResult) => Readonly<Record<string, string>>)
    | undefined;
}

/** Steps for the node as a whole, made true again whenever facts change: a tunnel, routes to other nodes, sets of a firewall. */
export type NodeAnswer =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly reads: NetworkNeeds }
  | { readonly kind: 'needs'; readonly needs: NetworkNeeds }
  | { readonly kind: 'fault'; readonly fault: CniFault };

/** Facts that STATUS asked for and that are not known: find them out, ask again. */
export interface NeededForStatus {
  readonly kind: 'needs';
  readonly needs: NetworkNeeds;
}

/** One compiled rule. Immutable. */
export interface NetworkRule {
  readonly name: string;
  /** Hash of what the rule means. */
  readonly revision: string;
  /** Capabilities that a conflist should name, because the rule reads them of `runtimeConfig`: `portMappings`. */
  readonly capabilities: readonly string[];
  /** A conflist entry's fields that must be given, those with a default, and all that it declares, for `fairlead cni install` and `explain`. */
  readonly config: { readonly required: readonly string[]; readonly defaults: JsonObject; readonly fields: readonly string[] };
  /** Kinds of the cluster that it reads. */
  readonly reads: readonly { readonly apiVersion: string; readonly kind: string }[];
  /** Whether it reads some of them in any case; else it depends on the configuration or the call. */
  readonly needsCluster: boolean;
  /** Whether it annotates pods of the cluster; it does without where there is none. */
  readonly annotatesPods: boolean;
  /** Whether other plugins may do a part of its work by steps, beside giving addresses. */
  readonly delegates: boolean;
  /** What the host must have, as far as it is known without an invocation. */
  readonly requirements: readonly Requirement[];
  /** ADD, and CHECK and DEL of what no record is left of. */
  attach(request: NetworkRequest, facts: NetworkFacts): NetworkAnswer;
  /** STATUS: what stands against serving an ADD, beside missing requirements (50 or 51); undefined: nothing. */
  status(request: NetworkRequest, facts: NetworkFacts): CniFault | NeededForStatus | undefined;
  /** Undefined where the rule has no steps for the node. `config` is that of the network, as of {@link NetworkRequest.config}. */
  readonly node: ((config: JsonObject, facts: NetworkFacts) => NodeAnswer) | undefined;
}

/** All network rules of a bundle. */
export interface NetworkProgram {
  readonly rules: readonly NetworkRule[];
}

/** `custom` effect `addresses`: what our allocator is asked. Part of the `ipam` step's arguments. */
export interface AddressRequest {
  /** Name of the network: its folder of reservations. */
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
  /** One address is given of each set; a set's ranges are of one family and don't overlap. */
  readonly ranges: readonly (readonly AddressRange[])[];
  /** Addresses that are asked for, with or without a prefix length; each must be in a range. */
  readonly requested: readonly string[];
  /** Folder of the networks' folders; default `/var/lib/cni/networks`, as of host-local. */
  readonly dataDir?: string;
}

export interface AddressRange {
  /** CIDR. */
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
  /** Default: the first address of the subnet; never given to anyone. */
  readonly gateway?: string;
}

/** Outputs of the `ipam` step, whoever gave the addresses: `ipam.addresses`, `ipam.gateway`... in expressions. */
export interface AddressOutputs {
  /** CIDRs with the prefix length of their subnet. */
  readonly addresses: readonly string[];
  readonly ips: readonly { readonly address: string; readonly gateway?: string }[];
  /** Gateways with the prefix length of their subnet, for an address on a bridge; one per address that has one. */
  readonly gatewayAddresses: readonly string[];
  /** The gateway of the first address, without a prefix length; `` where it has none. */
  readonly gateway: string;
  readonly routes: readonly Json[];
  readonly dns: JsonObject;
}

/**
 * Request of the effect `addresses`: an {@link AddressRequest} and what is wanted. Answers:
 * - `allocate`: {@link AddressAnswer}, in the order of the sets. An attachment that holds addresses gets the same again, so that a step that
 *   was interrupted can be repeated. Failures: `full` (nothing is left), `exists` (an address that was asked for is somebody's), `invalid`.
 * - `release`: undefined. All that the attachment holds in the network is free; nothing happens where it holds nothing.
 * - `check`: problems in words, one line each; none: the attachment holds an address of each set.
 */
export type AddressVerb = 'allocate' | 'release' | 'check';

export interface AddressAnswer {
  readonly ips: readonly {
    /** CIDR with the prefix length of its subnet. */
    readonly address: string;
    readonly gateway: string;
  }[];
}

/**
 * Request of the effect `plugin`: another plugin is executed, as libcni does it. Answer of ADD: its result as a {@link CniResult}, whatever the
 * version of the configuration; of the others: undefined. Where the plugin says an error, the failure is a `CniError` with its code and words.
 */
export interface PluginRequest {
  /** Name of the executable: `host-local`. */
  readonly type: string;
  readonly command: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';
  /** What it reads on its standard input, with `cniVersion` and `name`. */
  readonly config: JsonObject;
  /** Result that it is told of, as CNI 1.1.0 has it; it reads it in the version of its configuration. */
  readonly prevResult?: JsonObject;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  /** CNI_ARGS by key. */
  readonly args: Readonly<Record<string, string>>;
  /** Folders of CNI_PATH. */
  readonly path: readonly string[];
}
