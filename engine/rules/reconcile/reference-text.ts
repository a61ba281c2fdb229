import type { ObjectReference } from './program.ts';

/** `Deployment shop/web`. */
export function describeReference({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
