import { isJsonObject, type JsonObject, objectsOf, ownText, ownValue, textsOf } from '../../object/json.ts';
import type { OwnerTag } from '../../step/operation.ts';
import { ownerTag } from '../../step/owner-tag.ts';
import type { PerformedStep } from '../../step/plan.ts';
import type { NetworkRequest, NodeAttachment } from './program.ts';

/** A container's interface in a network: what ADD makes, and all that DEL and GC say of it. */
export interface AttachmentIdentity {
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
}

/** Owner of what a rule makes for an attachment. Its id is that of the attachment's plan. */
export function attachmentOwner(rule: string, { network, containerId, ifName }: AttachmentIdentity): OwnerTag {
  return ownerTag(rule, network, containerId, ifName);
}

/** Subject of an attachment's plan, as the journal keeps it. */
export function attachmentSubject({ network, containerId, ifName }: AttachmentIdentity): JsonObject {
  return { network, containerId, ifName };
}

/** The attachment that a record was made for; undefined for records of something else, such as the steps of a node. */
export function attachmentOfSubject(subject: JsonObject): AttachmentIdentity | undefined {
  const network = ownText(subject, 'network');
  const containerId = ownText(subject, 'containerId');
  const ifName = ownText(subject, 'ifName');
  return network === '' || containerId === '' || ifName === '' ? undefined : { network, containerId, ifName };
}

/** What an attachment's subject says of its pod beside who it is, where the runtime told; and the addresses that others in a chain gave it. */
export function attachedPod({ args, prevResult }: NetworkRequest): JsonObject {
  const [namespace, name, uid] = ['NAMESPACE', 'NAME', 'UID'].map((part) => ownText(args, `K8S_POD_${part}`)) as [string, string, string];
  const addresses = (prevResult?.ips ?? []).map(({ address }) => address);
  return {
    ...(namespace === '' || name === '' ? {} : { pod: { namespace, name, ...(uid === '' ? {} : { uid }) } }),
    ...(addresses.length === 0 ? {} : { addresses }),
  };
}

/** What is recorded of a plan, as far as attachments are told by it. */
interface AttachmentRecord {
  readonly subject: JsonObject;
  readonly steps: readonly Pick<PerformedStep, 'step' | 'outputs'>[];
}

/** The attachments of a network, each once, though several rules of a chain have a record of it. */
export function nodeAttachments(records: Iterable<AttachmentRecord>, network: string): readonly NodeAttachment[] {
  const found = new Map<string, { readonly identity: AttachmentIdentity; pod: JsonObject; readonly addresses: Set<string> }>();
  for (const { subject, steps } of records) {
    const identity = attachmentOfSubject(subject);
    if (identity?.network !== network) continue;
    const key = JSON.stringify([identity.containerId, identity.ifName]);
    const entry = found.get(key) ?? { identity, pod: {}, addresses: new Set<string>() };
    found.set(key, entry);
    const pod = ownValue(subject, 'pod');
    if (isJsonObject(pod)) entry.pod = pod;
    for (const address of [
      ...textsOf(ownValue(subject, 'addresses')),
      ...steps.flatMap((performed) => givenAddresses(performed, identity)),
    ])
      entry.addresses.add(address.split('/')[0]!);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { identity, pod, addresses }]) => ({
      containerId: identity.containerId,
      ifName: identity.ifName,
      namespace: ownText(pod, 'namespace'),
      name: ownText(pod, 'name'),
      uid: ownText(pod, 'uid'),
      addresses: [...addresses].sort(),
    }));
}

/** Addresses that a step gave this interface: of our allocator, or in the result of another plugin. */
function givenAddresses({ step, outputs }: AttachmentRecord['steps'][number], { ifName }: AttachmentIdentity): readonly string[] {
  if (step.operation === 'delegate' && ownText(step.arguments, 'ifName') !== ifName) return [];
  const ips = outputs === undefined ? [] : objectsOf(ownValue(outputs, 'ips'));
  return ips.map((each) => ownText(each, 'address')).filter((address) => address !== '');
}
