import { type JsonObject, ownText } from '../../object/json.ts';
import type { OwnerTag } from '../../step/operation.ts';
import { ownerTag } from '../../step/owner-tag.ts';

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
