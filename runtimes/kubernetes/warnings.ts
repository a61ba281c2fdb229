/**
 * The texts of a `Warning` header (RFC 7234 5.5: code, agent, quoted text); several may be joined by commas. Node reads headers
 * as Latin-1 where Kubernetes writes UTF-8.
 */
export function readWarnings(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  const text = Buffer.from(header, 'latin1').toString('utf8');
  return [...text.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!.replace(/\\(.)/g, '$1'));
}
