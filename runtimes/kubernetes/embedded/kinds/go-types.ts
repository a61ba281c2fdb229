import table from '../../../../schemas/kubernetes/go-types-v1.37.json' with { type: 'json' };

/**
 * Number in protobuf, name in JSON (`` where the fields stand in the outer structure), type (`#` before a structure), and flags:
 * r(epeated), m(ap); z(ero is left out) or a(lways there), neither for pointers.
 */
export type GoField = readonly [number: number, name: string, type: string, flags?: string];

const structures = table as unknown as { readonly [name: string]: readonly GoField[] };

/** The fields of one of Kubernetes' Go structures, such as `core.v1.PodSpec`; undefined for what is not known. */
export function goFields(name: string): readonly GoField[] | undefined {
  return Object.hasOwn(structures, name) ? structures[name] : undefined;
}
