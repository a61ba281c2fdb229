/** Letters of generated names: no vowels. Kubernetes: apimachinery pkg/util/rand. */
const LETTER = '[bcdfghjklmnpqrstvwxz2456789]';

const PATTERNS: readonly [RegExp, string][] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, '<time>'],
  [/("?resourceVersion"?: )"?\d+"?/g, '$1<version>'],
  [/Resource Version:\s+\d+/g, 'Resource Version: <version>'],
  [/https?:\/\/127\.0\.0\.1:\d+/g, '<server>'],
  [/\b10\.(96|244|0)\.\d+\.\d+\b/g, '<address>'],
  [new RegExp(`-${LETTER}{6,10}-${LETTER}{5}\\b`, 'g'), '-<hash>-<random>'],
  [new RegExp(`(pod-template-hash["=: ]+)"?${LETTER}{6,10}"?`, 'g'), '$1<hash>'],
  [new RegExp(`-(?=[a-z]*\\d)${LETTER}{8,10}\\b`, 'g'), '-<hash>'],
  [new RegExp(`kube-api-access-${LETTER}{5}`, 'g'), 'kube-api-access-<random>'],
  [/\b(\d+y)?(\d+d)?(\d+h)?(\d+m)?\d+s\b/g, '<age>'],
  [/<invalid>/g, '<age>'],
  [/\b(nodePort: |NodePort:.*?)\d{5}\b/g, '$1<port>'],
  [/\b(\d+):\d{5}\/(TCP|UDP)/g, '$1:<port>/$2'],
];

/** Output without what no two runs have in common; runs of spaces are one, as widths of columns depend on their values. */
export function normaliseText(text: string, folder: string): string {
  let out = text.replaceAll(folder, '<folder>');
  for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
  return out.replaceAll(/[ \t]+/g, ' ').replaceAll(/ +$/gm, '');
}
