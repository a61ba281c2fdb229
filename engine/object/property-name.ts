/** What CEL's grammar keeps for itself. Kubernetes: staging/src/k8s.io/apiserver/pkg/cel/escaping.go. */
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]);
const UNESCAPES: ReadonlyMap<string, string> = new Map([...ESCAPES].map(([plain, escaped]) => [escaped, plain]));

/**
 * The name under which Kubernetes lets expressions select a property of a typed object: `foo-bar` is `foo__dash__bar`,
 * `namespace` is `__namespace__`. Undefined for names that can't be selected at all.
 */
export function escapePropertyName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name.replace(/__|[./-]/g, (part) => ESCAPES.get(part) as string);
}

/** The property behind an escaped name, or undefined where it has an escape that does not exist. */
export function unescapePropertyName(escaped: string): string | undefined {
  const word = /^__([a-z]+)__$/.exec(escaped)?.[1];
  if (word !== undefined && RESERVED.has(word)) return word;
  let known = true;
  const name = escaped.replace(/__[^_]+__/g, (part) => {
    const plain = UNESCAPES.get(part);
    if (plain === undefined) known = false;
    return plain ?? '';
  });
  return known ? name : undefined;
}
