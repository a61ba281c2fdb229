/** A time as `metav1.Time` writes it: RFC 3339 in UTC, whole seconds. `milliseconds` since 1970. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, -5)}Z`;
}

/** A time as `metav1.MicroTime` writes it: RFC 3339 in UTC with six digits behind the point. `milliseconds` since 1970. */
export function formatMicroTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
