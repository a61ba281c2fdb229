import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../engine/object/json.ts';
import type { CaseResult, SuiteContext } from '../suite.ts';
import { difference, type Operation, readObjects, readSteps, withoutMarks } from './chainsaw.ts';
import { KroCluster } from './cluster.ts';

const outcome = (name: string, reason: string | undefined): CaseResult => {
  return reason === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason };
};

/** kro's end-to-end tests, each on a cluster of its own: a case for each step, and one for the marks that kro leaves on objects. */
export async function* clusterTests(corpus: string, context: SuiteContext): AsyncIterable<CaseResult> {
  const root = join(corpus, 'test/e2e/chainsaw');
  for (const test of readdirSync(root).sort()) {
    if (context.signal.aborted) return;
    const cluster = await KroCluster.start();
    const unmarked: string[] = [];
    let marks = false;
    try {
      for (const { name, operations } of readSteps(join(root, test))) {
        let reason: string | undefined;
        for (const operation of operations) {
          reason ??= await perform(cluster, operation);
          if (reason !== undefined || operation.kind !== 'assert') continue;
          for (const expected of operation.objects) {
            if (difference(withoutMarks(expected), expected) === undefined && difference(expected, withoutMarks(expected)) === undefined)
              continue;
            marks = true;
            const missing = difference(expected, (await cluster.get(expected)) ?? undefined);
            if (missing !== undefined) unmarked.push(`${operation.file} ${missing}`);
          }
        }
        yield outcome(`test ${test}, ${name}`, reason);
      }
      if (marks) yield outcome(`test ${test}, kro's marks`, unmarked.length === 0 ? undefined : unmarked.join('\n'));
      if (test === 'check-validation-markers') yield* refusals(cluster, join(root, test));
    } finally {
      await cluster.stop();
    }
  }
}

async function perform(cluster: KroCluster, operation: Operation): Promise<string | undefined> {
  switch (operation.kind) {
    case 'apply':
      for (const object of operation.objects) {
        const refused = await cluster.until(`apply ${operation.file}`, async () => void (await cluster.apply(object)));
        if (refused !== undefined) return refused;
      }
      return undefined;
    case 'assert':
      return all(operation.objects, (expected) =>
        cluster.until(`assert ${operation.file}`, async () =>
          difference(withoutMarks(expected), (await cluster.get(expected)) ?? undefined),
        ),
      );
    case 'error':
      return all(operation.objects, (unwanted) =>
        cluster.until(`error ${operation.file}`, async () => {
          const found = await cluster.get(unwanted);
          return found !== null && difference(unwanted, found) === undefined ? 'there is such an object' : undefined;
        }),
      );
    case 'delete': {
      const object = objectOf(operation);
      await cluster.delete(object);
      const left = await cluster.until(`delete ${operation.name}`, async () =>
        (await cluster.get(object)) === null ? undefined : 'it is still there',
      );
      await cluster.controller.idle();
      return left;
    }
    case 'ready': {
      const expected: JsonObject = { ...objectOf(operation), status: { "(conditions[?type == 'Ready'])": [{ status: 'True' }] } };
      return cluster.until(`wait for ${operation.name}`, async () => difference(expected, (await cluster.get(expected)) ?? undefined));
    }
  }
}

const objectOf = ({ apiVersion, objectKind, name }: Extract<Operation, { readonly name: string }>): JsonObject => ({
  apiVersion,
  kind: objectKind,
  metadata: { name },
});

async function all(
  objects: readonly JsonObject[],
  check: (object: JsonObject) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const object of objects) {
    const reason = await check(object);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** What the test itself does not try: instances that break one of the markers are refused, each for a reason of its own. */
const REFUSALS: Readonly<Record<string, readonly RegExp[]>> = {
  'invalid-instance-array-limits.yaml': [/spec\.tags: Too many/, /spec\.priorities: Too many/],
  'invalid-instance-max-items.yaml': [/spec\.tags: Too many/],
  'invalid-instance-min-items.yaml': [/spec\.tags.* should have at least 1 items/],
  'invalid-instance-priorities-max.yaml': [/spec\.priorities: Too many/],
  'invalid-length-instance.yaml': [/spec\.username.* should be at least 3 chars long/],
  'invalid-pattern-instance.yaml': [/spec\.email.* should match/],
  'invalid-unique-instance.yaml': [/spec\.tags.*Duplicate value/],
};

async function* refusals(cluster: KroCluster, folder: string): AsyncIterable<CaseResult> {
  for (const [file, messages] of Object.entries(REFUSALS)) {
    const [object] = readObjects(join(folder, file));
    const said = await cluster.apply(object!).then(
      () => 'the object is accepted',
      (error: unknown) => String(error),
    );
    const missing = messages.filter((message) => !message.test(said));
    yield outcome(`${file} is refused`, missing.length === 0 ? undefined : `expected ${missing.join(', ')}; found ${said}`);
  }
}
