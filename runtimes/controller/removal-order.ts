/** An object that exists and is to go. */
export interface Leaving {
  readonly level: number;
  /** Its deletion was asked for already. */
  readonly deleting: boolean;
}

/**
 * What to delete now: deletion runs from the highest level to the lowest, and a level begins when the one above is gone. Empty
 * while the highest level is still going.
 */
export function nextToDelete<T extends Leaving>(leaving: readonly T[]): readonly T[] {
  let highest = Number.NEGATIVE_INFINITY;
  for (const { level } of leaving) if (level > highest) highest = level;
  return leaving.filter(({ level, deleting }) => level === highest && !deleting);
}
