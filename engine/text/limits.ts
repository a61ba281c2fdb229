/** How much text a parser takes before it refuses: rules and recordings come from people we don't know. */
export interface TextLimits {
  /** UTF-16 code units of one source. */
  readonly maxLength: number;
  /** Maps and lists inside one another, aliases followed. */
  readonly maxDepth: number;
  /** Documents in one source. */
  readonly maxDocuments: number;
  /** Values that the aliases of one document stand for, counted as often as they are used. */
  readonly maxAliasedValues: number;
  /** Errors and warnings kept per source; one more says how many were left out. */
  readonly maxDiagnostics: number;
}

/** Wide enough for a dump of a large cluster, narrow enough to stay within memory. */
export const DEFAULT_LIMITS: TextLimits = {
  maxLength: 64 * 1024 * 1024,
  maxDepth: 200,
  maxDocuments: 100_000,
  maxAliasedValues: 100_000,
  maxDiagnostics: 100,
};
