/** A container image's name taken apart. */
export interface ImageReference {
  /** Host with port; `index.docker.io` where none is given. */
  readonly registry: string;
  /** With `library/` in front for the official images of Docker Hub. */
  readonly repository: string;
  /** Tag or digest. */
  readonly identifier: string;
  /** `latest` where neither tag nor digest is given; '' beside a digest. */
  readonly tag: string;
  readonly digest: string;
}

const DEFAULT_REGISTRY = 'index.docker.io';

/**
 * Reads an image name leniently: registry and tag may be missing. Undefined where it is none.
 * go-containerregistry: pkg/name ParseReference with weak validation, which is what Kyverno takes for an image.
 */
export function parseImageReference(name: string): ImageReference | undefined {
  return parseTag(name) ?? parseDigest(name);
}

interface Repository {
  readonly registry: string;
  readonly repository: string;
}

function parseTag(name: string): ImageReference | undefined {
  const colon = name.lastIndexOf(':');
  // A colon before a slash belongs to a port.
  const tagged = colon >= 0 && !name.slice(colon).includes('/');
  const tag = tagged ? name.slice(colon + 1) : 'latest';
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(tag)) return undefined;
  const repository = parseRepository(tagged ? name.slice(0, colon) : name);
  return repository && { ...repository, identifier: tag, tag, digest: '' };
}

function parseDigest(name: string): ImageReference | undefined {
  const [base, digest, ...more] = name.split('@');
  if (digest === undefined || more.length > 0 || !/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  const repository = parseTag(base as string) ?? parseRepository(base as string);
  return repository && { registry: repository.registry, repository: repository.repository, identifier: digest, tag: '', digest };
}

function parseRepository(name: string): Repository | undefined {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === 'localhost';
  const path = hasRegistry ? name.slice(slash + 1) : name;
  if (!/^[a-z0-9_\-./]{2,255}$/.test(path)) return undefined;
  const given = hasRegistry ? first : '';
  if (given !== '' && !/^[A-Za-z0-9\-._~!$&'()*+,;=[\]]+(:[0-9]*)?$/.test(given)) return undefined;
  const registry = given === '' || given === 'docker.io' ? DEFAULT_REGISTRY : given;
  return { registry, repository: registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path };
}
