import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { md5, sha1, sha256 } from '../../../text/digest.ts';
import { createEnvironment } from '../../create-environment.ts';
import { type CelError, type CelValue, Timestamp } from '../../values.ts';
import { ImageContextValue, ImageNeeded } from './image.ts';
import { parseImageReference } from './image-reference.ts';
import { KYVERNO_VARIABLES, kyvernoLibraries } from './kyverno.ts';
import { ResourceContextValue, ResourceNeeded } from './resource.ts';

const NOW = new Timestamp(1_700_000_000, 5);
const environment = createEnvironment({ variables: KYVERNO_VARIABLES }).extend({ libraries: kyvernoLibraries(() => NOW) });

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'known' }, data: { a: 'b' } };
const activation = {
  resource: new ResourceContextValue({
    get: ({ name }) => (name === 'known' ? configMap : name === 'absent' ? null : undefined),
    list: ({ namespace }) => (namespace === 'default' ? [configMap] : undefined),
  }),
  image: new ImageContextValue((image) => (image === 'known' ? { config: { created: 'then' } } : image === 'absent' ? null : undefined)),
};

function evaluate(expression: string): CelValue | CelError {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('; '));
  const { outcome } = compiled.program.trace(activation);
  return outcome.ok ? outcome.value : outcome.error;
}

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('image names', () => {
  it.each([
    ['nginx', 'index.docker.io', 'library/nginx', 'latest', ''],
    ['nginx:1.25', 'index.docker.io', 'library/nginx', '1.25', ''],
    ['docker.io/redis:6.0.0-buster', 'index.docker.io', 'library/redis', '6.0.0-buster', ''],
    ['corp/app:v1', 'index.docker.io', 'corp/app', 'v1', ''],
    ['localhost:5000/a/b', 'localhost:5000', 'a/b', 'latest', ''],
    ['localhost/app', 'localhost', 'app', 'latest', ''],
    ['ghcr.io/org/app:1', 'ghcr.io', 'org/app', '1', ''],
    [`ghcr.io/org/app@${DIGEST}`, 'ghcr.io', 'org/app', '', DIGEST],
    [`ghcr.io/org/app:1@${DIGEST}`, 'ghcr.io', 'org/app', '', DIGEST],
  ])('%s', (name, registry, repository, tag, digest) => {
    expect(parseImageReference(name)).toEqual({ registry, repository, tag, digest, identifier: digest || tag });
  });

  it.each(['', 'UPPER', 'a', 'app:', 'app:tag with space', 'app@sha256:short', `a b@${DIGEST}`, `app@${DIGEST}@${DIGEST}`])(
    'not %j',
    (name) => {
      expect(parseImageReference(name)).toBeUndefined();
    },
  );
});

describe('expressions', () => {
  it.each<[string, CelValue]>([
    ["image('ghcr.io/org/app:1').registry()", 'ghcr.io'],
    ["image('nginx').tag()", 'latest'],
    [`image('nginx@${DIGEST}').containsDigest()`, true],
    ["image('nginx') == image('docker.io/library/nginx:latest')", true],
    ["isImage('nginx:1')", true],
    ["isImage('NGINX')", false],
    ["parseServiceAccount('system:serviceaccount:ns:name').Name", 'name'],
    ["parseServiceAccount('system:serviceaccount:ns:name').Namespace", 'ns'],
    ["parseServiceAccount('someone').Name", ''],
    ['math.round(2.345, 2)', 2.35],
    ['math.round(-0.5, 0) == -1.0', true],
    ["listObjToMap([{'n': 'a'}], [{'v': 1}], 'n', 'v')", { a: 1 }],
    ['time.now() - time.now() == duration("0s")', true],
    ["time.truncate(timestamp('2024-05-05T12:34:56Z'), duration('1h')) == timestamp('2024-05-05T12:00:00Z')", true],
    ["sha256('abc')", 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ["resource.Get('v1', 'configmaps', 'default', 'known').data.a", 'b'],
    ["resource.List('v1', 'configmaps', 'default').items.size()", 1],
    ["image.GetMetadata('known').config.created", 'then'],
  ])('%s', (expression, value) => {
    expect(evaluate(expression)).toEqual(value);
  });

  it.each([
    ["image('NGINX')", 'could not parse reference: NGINX'],
    ["resource.Get('apps/v1', 'deployments', 'ns', 'absent')", 'failed to get resource: deployments.apps "absent" not found'],
    ["image.GetMetadata('absent')", 'failed to get image data: image absent not found'],
    ["listObjToMap([{'n': 1}], [{'v': 1}], 'n', 'v')", 'the passed key name cannot be handled as a string in the key object list'],
    ['listObjToMap([], [1], "n", "v")', 'listObjToMap must take lists of equal length. list1: 0, list2: 1'],
  ])('%s fails', (expression, message) => {
    expect(evaluate(expression)).toMatchObject({ message, code: 'evaluation' });
  });

  it('says what it has to know', () => {
    const needed = evaluate("resource.Get('v1', 'configmaps', 'ns', 'other')");
    expect(needed).toBeInstanceOf(ResourceNeeded);
    expect(needed).toMatchObject({
      code: 'needs-fact',
      query: { apiVersion: 'v1', resource: 'configmaps', namespace: 'ns', name: 'other' },
    });
    expect(evaluate("resource.List('v1', 'pods', 'ns', {'app': 'x', 'a': 'y'})")).toMatchObject({ query: { labelSelector: 'a=y,app=x' } });
    expect(evaluate("image.GetMetadata('other')")).toBeInstanceOf(ImageNeeded);
  });
});

describe('digests', () => {
  it('are those of Node', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        for (const [name, digest] of Object.entries({ md5, sha1, sha256 })) {
          expect(digest(text)).toBe(createHash(name).update(text).digest('hex'));
        }
      }),
    );
  });
});
