import { formatApiVersion } from '../../../engine/object/type-table.ts';
import type { ResourceDefinition } from './kinds/definition.ts';

/** What the server serves. Custom resources come and go. */
export class ResourceCatalog {
  readonly #byPath = new Map<string, ResourceDefinition>();
  readonly #byKind = new Map<string, ResourceDefinition>();
  readonly #listeners = new Set<() => void>();
  #version = 0;

  /** Counts changes, so that documents made of the catalog know when they are out of date. */
  get version(): number {
    return this.#version;
  }

  /** Adds or replaces. */
  register(...definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) {
      const apiVersion = formatApiVersion(definition.group, definition.version);
      const old = this.#byPath.get(`${apiVersion}/${definition.resource}`);
      if (old !== undefined) this.#byKind.delete(`${apiVersion}/${old.kind}`);
      this.#byPath.set(`${apiVersion}/${definition.resource}`, definition);
      this.#byKind.set(`${apiVersion}/${definition.kind}`, definition);
    }
    this.#changed();
  }

  unregister(group: string, version: string, resource: string): void {
    const apiVersion = formatApiVersion(group, version);
    const definition = this.#byPath.get(`${apiVersion}/${resource}`);
    if (definition === undefined) return;
    this.#byPath.delete(`${apiVersion}/${resource}`);
    this.#byKind.delete(`${apiVersion}/${definition.kind}`);
    this.#changed();
  }

  find(group: string, version: string, resource: string): ResourceDefinition | undefined {
    return this.#byPath.get(`${formatApiVersion(group, version)}/${resource}`);
  }

  ofKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  /** In the order of registration. */
  all(): IterableIterator<ResourceDefinition> {
    return this.#byPath.values();
  }

  /** Calls back after each change. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}
