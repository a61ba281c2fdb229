/** A time as `metav1.MicroTime` writes it: RFC 3339 in UTC with six digits behind the point. `milliseconds` since 1970. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
