/** Words that name no variable, but may name a field. */
const RESERVED = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '));
/** Words that name nothing. */
const KEYWORDS = new Set(['true', 'false', 'null', 'in']);

/** Whether a field can be called so: `steps.<name>`. */
export const isCelField = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !KEYWORDS.has(name);

/** Whether a variable can be called so. Kubernetes: pkg/apis/admissionregistration/validation isCELIdentifier. */
export const isCelIdentifier = (name: string): boolean => isCelField(name) && !RESERVED.has(name);

/** What to call something whose name can't be used: for `my-config` that is `letters, digits and _, as myConfig`. */
export function identifierHint(name: string, otherwise: string): string {
  if (KEYWORDS.has(name) || RESERVED.has(name)) return 'it is a word of CEL itself: choose another one';
  const words = name.replace(/[^A-Za-z0-9_]+(.?)/g, (_all, next: string) => next.toUpperCase());
  return `letters, digits and _, as ${words || otherwise}`;
}
