import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../host/clock.ts';
import { ApiError, ConnectionError } from '../../kubernetes/api-error.ts';
import type { KubernetesClient, ResourceType } from '../../kubernetes/client.ts';
import { type AnnotationDebts, NO_DEBTS, openAnnotationDebts } from './owed-annotations.ts';
import { createPodAnnotator } from './pod-annotator.ts';

const POD = { namespace: 'shop', name: 'web', uid: 'u1' };
const ANNOTATIONS = { 'k8s.v1.cni.cncf.io/network-status': '[]' };

/** An annotator whose server answers each attempt by a function. */
function annotating(answer: (attempt: number) => unknown, debts: AnnotationDebts = NO_DEBTS) {
  const patches: unknown[][] = [];
  const log: string[] = [];
  const clock = manualClock();
  const client = {
    discovery: { resourceOf: async () => ({ resource: 'pods' }) as ResourceType },
    resource: () => ({
      patch: async (...words: unknown[]) => {
        patches.push(words.slice(0, 3));
        const answered = await answer(patches.length);
        if (answered instanceof Error) throw answered;
      },
    }),
  } as unknown as KubernetesClient;
  const annotator = createPodAnnotator({ client, clock, log: (_level, line) => log.push(line), debts });
  return { annotator, patches, log, clock };
}

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('annotations of a pod', () => {
  it('are written for the pod that is meant, and for no other of its name', async () => {
    const { annotator, patches, log } = annotating(() => undefined);
    await annotator.annotate('a', POD, ANNOTATIONS);
    await annotator.annotate('b', { ...POD, uid: '' }, ANNOTATIONS);
    expect(patches).toEqual([
      [{ namespace: 'shop', name: 'web' }, 'merge', { metadata: { uid: 'u1', annotations: ANNOTATIONS } }],
      [{ namespace: 'shop', name: 'web' }, 'merge', { metadata: { annotations: ANNOTATIONS } }],
    ]);
    expect(log).toEqual([]);
  });

  it.each([403, 404, 409, 422])('are given up when the server answers %d', async (status) => {
    const { annotator, patches, log, clock } = annotating(() => new ApiError(status, 'no'));
    await annotator.annotate('a', POD, ANNOTATIONS);
    clock.advance(100_000);
    await turns();
    expect([patches.length, log]).toEqual([1, ['a pod cannot be annotated']]);
  });

  it.each([new ApiError(500, 'no'), new ApiError(429, 'busy'), new ConnectionError('away', 'ECONNREFUSED')])(
    'are tried on behind the pod after %o',
    async (failure) => {
      const { annotator, patches, log, clock } = annotating((attempt) => (attempt < 5 ? failure : undefined));
      let isAnswered = false;
      const answered = annotator.annotate('a', POD, ANNOTATIONS).then(() => {
        isAnswered = true;
      });
      for (const [pause, attempts] of [
        [500, 2],
        [1000, 3],
      ] as const) {
        await turns();
        clock.advance(pause);
        await turns();
        expect([patches.length, isAnswered]).toEqual([attempts, false]);
      }
      clock.advance(500);
      await answered;
      for (const pause of [1500, 4000]) {
        clock.advance(pause);
        await turns();
      }
      expect([patches.length, log]).toEqual([5, ['a pod could not be annotated yet', 'annotated a pod at last']]);
      expect(clock.pending()).toBe(0);
    },
  );

  it('keep no pod waiting where the server does not answer at all', async () => {
    const { annotator, clock } = annotating(() => new Promise(() => {}));
    const answered = annotator.annotate('a', POD, ANNOTATIONS);
    await turns();
    clock.advance(2000);
    await answered;
  });

  it('are forgotten with the attachment, replaced by newer ones, and ended with the daemon', async () => {
    const { annotator, patches, clock } = annotating(() => new ConnectionError('away'));
    for (const attachment of ['a', 'b', 'b', 'c']) void annotator.annotate(attachment, POD, ANNOTATIONS);
    await turns();
    expect(patches).toHaveLength(4);
    annotator.forget('a');
    clock.advance(500);
    await turns();
    // Of b and c.
    expect(patches).toHaveLength(6);
    annotator.close();
    clock.advance(600_000);
    await turns();
    expect([patches.length, clock.pending()]).toEqual([6, 0]);
  });

  it('wait for no more attachments than a node has', async () => {
    const { annotator, patches, clock } = annotating(() => new ConnectionError('away'));
    for (let index = 0; index < 4100; index++) void annotator.annotate(`a${index}`, POD, ANNOTATIONS);
    await turns();
    expect(patches).toHaveLength(4100);
    clock.advance(500);
    await turns();
    expect(patches).toHaveLength(4100 + 4096);
    annotator.close();
  });

  describe('that could not be written when the daemon ended', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'flf-owed-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const open = () => openAnnotationDebts({ folder: join(folder, 'annotations'), log: () => {} });
    const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(16)) as [string, string, string];
    const owed = () => readdirSync(join(folder, 'annotations')).sort();

    it('are written by the next one, to pods that are attached', async () => {
      const first = annotating(() => new ConnectionError('away'), open());
      const answered = [A, B, C].map((attachment) =>
        first.annotator.annotate(attachment, { ...POD, name: attachment.slice(0, 1) }, ANNOTATIONS),
      );
      await turns();
      for (const pause of [500, 1000, 500]) {
        first.clock.advance(pause);
        await turns();
      }
      await Promise.all(answered);
      first.annotator.forget(C);
      first.annotator.close();
      writeFileSync(join(folder, 'annotations', 'd'.repeat(16)), '{');
      writeFileSync(join(folder, 'annotations', `${A}.new`), '{}');
      expect(owed()).toEqual([A, `${A}.new`, B, 'd'.repeat(16)]);
      const next = annotating(() => undefined, open());
      next.annotator.resume((attachment) => attachment === A);
      await turns();
      expect(next.patches).toEqual([[{ namespace: 'shop', name: 'a' }, 'merge', { metadata: { uid: 'u1', annotations: ANNOTATIONS } }]]);
      expect(owed()).toEqual([`${A}.new`, 'd'.repeat(16)]);
    });

    it('are not kept where they were written at once', async () => {
      const { annotator } = annotating(() => undefined, open());
      await annotator.annotate(A, POD, ANNOTATIONS);
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
