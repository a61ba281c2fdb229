import type { JsonObject } from '../../engine/object/json.ts';
import { type Controller, startController } from '../../runtimes/controller/controller.ts';
import { createHttpCaller } from '../../runtimes/host/http-caller.ts';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import type { CaseResult } from '../suite.ts';
import { comparable, firstDifference } from './compare.ts';
import { type LibraryBundle, served, withStore } from './library.ts';
import { isReady, type Person, placeOf } from './person.ts';

/** What the library's examples became on one server. */
export interface LibraryOutcome {
  readonly controller: Controller;
  /** What went wrong with an instance, by its bundle and title; undefined where it became ready. */
  readonly instances: ReadonlyMap<string, string | undefined>;
  /** Final objects of each bundle. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const result = (name: string, reason: string | undefined): CaseResult =>
  reason === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason };

/** Serves the whole library and makes everything that its pages show. `client` is the controller's, `admin` somebody else's. */
export async function performLibrary(
  bundles: readonly LibraryBundle[],
  client: KubernetesClient,
  admin: Person,
  store: string,
): Promise<LibraryOutcome> {
  await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (const number of [1, 2, 3, 4, 5, 6]) await admin.create(volume(number));
  const controller = await startController({
    client,
    bundle: served(bundles),
    leaderElection: false,
    call: createHttpCaller({ allowedHosts: [new URL(store).host] }),
  });
  const instances = new Map<string, string | undefined>();
  const objects = new Map<string, ReadonlyMap<string, string>>();
  try {
    const isInstance = (object: JsonObject): boolean => String(object['apiVersion']).includes('.example.com/') || object['kind'] === 'Foo';
    const all = bundles.flatMap((bundle) => bundle.objects.map((object) => ({ bundle, object: withStore(object, store) })));
    // Side by side, as people do.
    await Promise.all(all.map(({ object }) => admin.create(object)));
    await Promise.all(
      all
        .filter(({ object }) => isInstance(object))
        .map(async ({ bundle, object }) => {
          const title = `${bundle.name}: ${String(object['kind'])} ${placeOf(object).name}`;
          instances.set(title, undefined);
          await admin.whenever(placeOf(object), isReady, 30_000).catch((error: Error) => instances.set(title, error.message));
        }),
    );
    await controller.idle();
    for (const bundle of bundles) {
      const kinds = new Map(
        (bundle.compiled.program?.reconcile.rules ?? []).flatMap(({ touches }) =>
          touches
            .filter(({ use }) => use === 'write')
            .map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }] as const),
        ),
      );
      kinds.set('v1 Secret', { apiVersion: 'v1', kind: 'Secret' });
      const rules = new Set((bundle.compiled.program?.reconcile.rules ?? []).map(({ name }) => name));
      const made = (await admin.madeBy([...kinds.values()])).filter(({ metadata }) =>
        rules.has(String(((metadata as JsonObject)['labels'] as JsonObject)['fairlead.dev/rule'])),
      );
      const found = await Promise.all(bundle.objects.filter(isInstance).map((object) => admin.get(placeOf(object))));
      objects.set(bundle.name, comparable([...found.flatMap((object) => (object === null ? [] : [object])), ...made], isInstance));
    }
  } catch (error) {
    await controller.stop();
    throw error;
  }
  return { controller, instances, objects };
}

/** For claims: there is nobody who would make volumes on demand. */
function volume(number: number): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `volume-${number}` },
    spec: { capacity: { storage: '100Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/volumes/${number}` } },
  };
}

/** What both servers made of the library, and whether it is the same. */
export function* judgeLibrary(bundles: readonly LibraryBundle[], real: LibraryOutcome, embedded: LibraryOutcome): Iterable<CaseResult> {
  for (const [server, { instances }] of [
    ['real', real],
    ['embedded', embedded],
  ] as const) {
    for (const [title, reason] of instances) yield result(`${server}, ${title} becomes ready`, reason);
  }
  for (const { name } of bundles) {
    const [a, b] = [real.objects.get(name)!, embedded.objects.get(name)!];
    const titles = new Set([...a.keys(), ...b.keys()]);
    for (const title of titles) {
      const [left, right] = [a.get(title), b.get(title)];
      const reason =
        left === undefined || right === undefined
          ? `only on the ${left === undefined ? 'embedded' : 'real'} server`
          : left === right
            ? undefined
            : firstDifference(left, right);
      yield result(`${name}: ${title} is the same on both`, reason);
    }
  }
}
