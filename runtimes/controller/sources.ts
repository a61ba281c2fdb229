import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';
import { KindSource, type KindSourceOptions, type SourceKey, sourceText } from './kind-source.ts';

/** All sources, each shared by its holders and closed when the last of them lets go. */
export class Sources {
  readonly #options: KindSourceOptions;
  readonly #sources = new Map<string, { readonly source: KindSource; readonly holders: Set<string> }>();

  constructor(options: KindSourceOptions) {
    this.#options = options;
  }

  /** The source of a query, with at least these fields, for as long as `holder` holds it. */
  hold(holder: string, key: SourceKey, demand: FieldDemand): KindSource {
    const text = sourceText(key);
    const found = this.#sources.get(text);
    if (found !== undefined) {
      found.holders.add(holder);
      found.source.widen(demand);
      return found.source;
    }
    const source = new KindSource(key, demand, this.#options);
    this.#sources.set(text, { source, holders: new Set([holder]) });
    return source;
  }

  find(key: SourceKey): KindSource | undefined {
    return this.#sources.get(sourceText(key))?.source;
  }

  /** Lets go of everything that `holder` holds, except for what it still wants. */
  release(holder: string, except: ReadonlySet<string> = new Set()): void {
    for (const [text, { source, holders }] of this.#sources) {
      if (except.has(text) || !holders.delete(holder) || holders.size > 0) continue;
      this.#sources.delete(text);
      source.close();
    }
  }

  /** Kinds may have come: looks again for those that were not served. */
  retryAbsent(): void {
    for (const { source } of this.#sources.values()) source.retry();
  }

  *all(): Iterable<KindSource> {
    for (const { source } of this.#sources.values()) yield source;
  }

  close(): void {
    for (const { source } of this.#sources.values()) source.close();
    this.#sources.clear();
  }
}
