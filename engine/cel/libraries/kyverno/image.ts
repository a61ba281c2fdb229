import type { Library } from '../../function.ts';
import { BOOL, DYN, opaque, STRING } from '../../types.ts';
import { CelError, type CelValue, Opaque } from '../../values.ts';
import { declare, globalOverload, memberOverload } from '../declare.ts';
import { type ImageReference, parseImageReference } from './image-reference.ts';

/** `kyverno.image`: a parsed image name. */
export class ImageValue extends Opaque {
  readonly typeName = 'kyverno.image';
  readonly reference: ImageReference;
  constructor(reference: ImageReference) {
    super();
    this.reference = reference;
  }

  equals(other: CelValue): boolean | undefined {
    return other instanceof ImageValue ? this.toString() === other.toString() : undefined;
  }

  toString(): string {
    const { registry, repository, tag, digest } = this.reference;
    return `${registry}/${repository}${digest === '' ? `:${tag}` : `@${digest}`}`;
  }
}

/**
 * What a registry says of an image: `{manifest, config, digest, ...}`. Undefined: not known yet, null: there is no such image.
 */
export type ImageLookup = (image: string) => CelValue | undefined;

/** The variable `image` of Kyverno's policies. */
export class ImageContextValue extends Opaque {
  readonly typeName = 'imagedata.Context';
  readonly lookup: ImageLookup;
  constructor(lookup: ImageLookup) {
    super();
    this.lookup = lookup;
  }

  equals(): boolean | undefined {
    return undefined;
  }

  toString(): string {
    return this.typeName;
  }
}

/** What `image.GetMetadata` throws where the host has to ask a registry first. */
export class ImageNeeded extends CelError {
  readonly image: string;
  constructor(image: string) {
    super(`the metadata of image ${image} is not known yet`, 'needs-fact');
    this.image = image;
  }
}

const IMAGE_TYPE = opaque('kyverno.image');
/** Type of the variable `image`. */
export const IMAGE_CONTEXT_TYPE = opaque('imagedata.Context');

function parse(name: string): ImageValue {
  const reference = parseImageReference(name);
  if (!reference) throw new CelError(`could not parse reference: ${name}`);
  return new ImageValue(reference);
}

function metadata(context: ImageContextValue, image: string): CelValue {
  const found = context.lookup(image);
  if (found === undefined) throw new ImageNeeded(image);
  if (found === null) throw new CelError(`failed to get image data: image ${image} not found`);
  return found;
}

const part = (name: 'registry' | 'repository' | 'identifier' | 'tag' | 'digest') =>
  declare(
    name,
    memberOverload(`image_${name}`, [IMAGE_TYPE], STRING, (image: ImageValue) => image.reference[name]),
  );

/** Image names. Kyverno: pkg/cel/libs/image, pkg/cel/libs/imagedata. */
export const KYVERNO_IMAGE_LIBRARY: Library = {
  name: 'kyverno.image',
  functions: [
    declare('image', globalOverload('string_to_image', [STRING], IMAGE_TYPE, parse)),
    declare(
      'isImage',
      globalOverload('is_image_string', [STRING], BOOL, (name: string) => parseImageReference(name) !== undefined),
    ),
    declare(
      'containsDigest',
      memberOverload('image_contains_digest', [IMAGE_TYPE], BOOL, (image: ImageValue) => image.reference.digest !== ''),
    ),
    part('registry'),
    part('repository'),
    part('identifier'),
    part('tag'),
    part('digest'),
    declare('GetMetadata', memberOverload('imagedata_get_string', [IMAGE_CONTEXT_TYPE, STRING], DYN, metadata)),
  ],
};
