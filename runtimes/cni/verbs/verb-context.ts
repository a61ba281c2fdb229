import { attachmentOwner } from '../../../engine/rules/network/attachment.ts';
import type { CniFault, NetworkPlan, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import type { Clock } from '../../host/clock.ts';
import type { LineLog } from '../../host/log.ts';
import type { HostHandler, Performer } from '../../linux/performer.ts';
import type { AddressAllocator } from '../addresses/allocator.ts';
import type { AttachmentFacts } from '../attachment-facts.ts';
import type { PodAnnotator } from '../cluster/pod-annotator.ts';
import type { Delegate } from '../delegation/delegate.ts';
import type { NodeSteps } from '../node-steps.ts';
import type { AttachmentGate } from './attachment-gate.ts';
import { type NetworkFactsSource, withFacts } from './network-facts-source.ts';

/** What verbs work with. */
export interface VerbContext {
  readonly performer: Performer;
  readonly host: HostHandler;
  readonly addresses: AddressAllocator;
  readonly delegate: Delegate;
  readonly facts: NetworkFactsSource;
  readonly attachments: AttachmentFacts;
  readonly nodes: NodeSteps;
  readonly gate: AttachmentGate;
  readonly podAnnotator: PodAnnotator;
  readonly answered: AnsweredAdds;
  readonly clock: Clock;
  readonly log: LineLog;
}

/** Attachments whose ADD was answered with success, by the id of their plan. An ADD of one that was not is a repetition, and may be done anew. */
export interface AnsweredAdds {
  has(id: string): boolean;
  add(id: string): void;
  delete(id: string): void;
  /** Called with the plugin's own. */
  close?(): void;
}

/** What a verb ends with; success of all but ADD has no output. */
export type VerbAnswer = { readonly ok: true; readonly stdout: string } | { readonly ok: false; readonly fault: CniFault };

export const DONE: VerbAnswer = { ok: true, stdout: '' };
export const refused = (fault: CniFault): VerbAnswer => ({ ok: false, fault });

/** What an attachment is a part of where operations keep out of each other's way: plugins that delegate to each other may have networks of one name. */
export const gateOf = (rule: string, { network }: NetworkRequest): string => JSON.stringify([rule, network]);

export const attachmentId = (rule: string, request: NetworkRequest): string => attachmentOwner(rule, request).id;

/** The plan of a request, once all facts that it needs are known. */
export async function planOf(
  { facts: source, clock }: VerbContext,
  rule: NetworkRule,
  request: NetworkRequest,
  signal: AbortSignal,
): Promise<{ readonly kind: 'plan'; readonly plan: NetworkPlan } | { readonly kind: 'fault'; readonly fault: CniFault }> {
  return withFacts({ source, clock }, signal, (known) => rule.attach(request, known));
}
