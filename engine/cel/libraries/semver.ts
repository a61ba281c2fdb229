import type { Library } from '../function.ts';
import { BOOL, INT, opaque, STRING } from '../types.ts';
import { CelError, type CelValue, int, Opaque } from '../values.ts';
import { pricedByTraversal, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import {
  compareVersions,
  formatVersion,
  parseNormalizedVersion,
  parseVersion,
  type Version,
  type VersionParseResult,
} from './semver/version.ts';

/** `kubernetes.Semver`. */
export class SemverValue extends Opaque {
  readonly typeName = 'kubernetes.Semver';
  readonly version: Version;
  constructor(version: Version) {
    super();
    this.version = version;
  }

  equals(other: CelValue): boolean | undefined {
    return other instanceof SemverValue ? compareVersions(this.version, other.version) === 0 : undefined;
  }

  toString(): string {
    return formatVersion(this.version);
  }
}

const SEMVER_TYPE = opaque('kubernetes.Semver');

const read = (text: string, normalize: boolean): VersionParseResult => (normalize ? parseNormalizedVersion(text) : parseVersion(text));

function fromString(text: string, normalize = false): SemverValue {
  const parsed = read(text, normalize);
  if (!parsed.ok) throw new CelError(parsed.error);
  return new SemverValue(parsed.version);
}

const isVersion = (text: string, normalize = false): boolean => read(text, normalize).ok;

const comparison = (name: string, id: string, result: typeof BOOL, answer: (order: -1 | 0 | 1) => CelValue) =>
  declare(
    name,
    memberOverload(
      id,
      [SEMVER_TYPE, SEMVER_TYPE],
      result,
      (a: SemverValue, b: SemverValue) => answer(compareVersions(a.version, b.version)),
      UNIT_PRICE,
    ),
  );

/** A number of a version; like Go's conversion, what is beyond int64 wraps around. */
const part = (name: 'major' | 'minor' | 'patch') =>
  declare(
    name,
    memberOverload(`semver_${name}`, [SEMVER_TYPE], INT, (value: SemverValue) => int(BigInt.asIntN(64, value.version[name])), UNIT_PRICE),
  );

/** Semantic versions, with normalisation. Kubernetes: pkg/cel/library/semverlib.go, version 1. */
export const SEMVER_LIBRARY: Library = {
  name: 'kubernetes.Semver',
  functions: [
    declare(
      'semver',
      globalOverload('string_to_semver', [STRING], SEMVER_TYPE, fromString, pricedByTraversal(1)),
      globalOverload('string_bool_to_semver', [STRING, BOOL], SEMVER_TYPE, fromString, pricedByTraversal(1)),
    ),
    declare(
      'isSemver',
      globalOverload('is_semver_string', [STRING], BOOL, isVersion, pricedByTraversal(1)),
      globalOverload('is_semver_string_bool', [STRING, BOOL], BOOL, isVersion, pricedByTraversal(1)),
    ),
    comparison('isGreaterThan', 'semver_is_greater_than', BOOL, (order) => order > 0),
    comparison('isLessThan', 'semver_is_less_than', BOOL, (order) => order < 0),
    comparison('compareTo', 'semver_compare_to', INT, (order) => order),
    part('major'),
    part('minor'),
    part('patch'),
  ],
};
