import type { Document } from '../../text/document.ts';
import { kindOf } from '../document-kind.ts';

/** Kinds that the compiler of network rules takes, by API group. */
export const NETWORK_KINDS: Readonly<Record<string, readonly string[]>> = { 'fairlead.dev': ['NetworkRule'] };

/** Whether a document is one of {@link NETWORK_KINDS}. */
export function isNetworkDocument(document: Document): boolean {
  const { group, kind } = kindOf(document);
  return NETWORK_KINDS[group]?.includes(kind) ?? false;
}
