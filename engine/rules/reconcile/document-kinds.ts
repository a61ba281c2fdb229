import type { Document } from '../../text/document.ts';
import { kindOf } from '../document-kind.ts';

/** Kinds that the compiler of reconcile rules takes, by API group. */
export const RECONCILE_KINDS: Readonly<Record<string, readonly string[]>> = {
  'fairlead.dev': ['ReconcileRule'],
  'kro.run': ['ResourceGraphDefinition'],
};

/** Whether a document is one of {@link RECONCILE_KINDS}. */
export function isReconcileDocument(document: Document): boolean {
  const { group, kind } = kindOf(document);
  return RECONCILE_KINDS[group]?.includes(kind) ?? false;
}
