import { nodeAttachments } from '../../engine/rules/network/attachment.ts';
import type { NodeAttachment } from '../../engine/rules/network/program.ts';
import type { Performer } from '../linux/performer.ts';
import type { NetworkFactsSource } from './verbs/network-facts-source.ts';

/** What rules see of the pods of this node: the attachments of which there is a record, those that are being made included. */
export class AttachmentFacts {
  readonly #performer: Pick<Performer, 'records'>;
  readonly #known = new Map<string, readonly NodeAttachment[]>();
  readonly #callbacks = new Set<() => void>();

  constructor(performer: Pick<Performer, 'records'>) {
    this.#performer = performer;
  }

  of(network: string): readonly NodeAttachment[] {
    let attachments = this.#known.get(network);
    if (attachments === undefined) {
      attachments = nodeAttachments(this.#performer.records(), network);
      this.#known.set(network, attachments);
    }
    return attachments;
  }

  /** Call it after records came, changed or went. */
  changed(): void {
    this.#known.clear();
    for (const callback of this.#callbacks) callback();
  }

  /** Calls back after attachments have changed. Answers what ends that. */
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** Adds what is known here to facts. */
  beside(source: NetworkFactsSource): NetworkFactsSource {
    return {
      facts: { ...source.facts, attachments: (network) => this.of(network) },
      learn: (needs, signal) => source.learn(needs, signal),
      onChange: (callback) => source.onChange(callback),
    };
  }
}
