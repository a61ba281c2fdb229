import { sha256 } from '../text/digest.ts';
import type { OwnerTag } from './operation.ts';

const PREFIX = 'fairlead:';

/** The tag of what is made for a subject: `fairlead:<rule>:<id>`. The parts may hold any characters but NUL; their order counts. */
export function ownerTag(rule: string, ...subject: readonly string[]): OwnerTag {
  const id = sha256([rule, ...subject].join('\0')).slice(0, 16);
  return { id, rule, text: `${PREFIX}${rule.slice(0, 90)}:${id}` };
}

/** Reads a tag that stands on something; undefined for what is not ours. */
export function readOwnerTag(text: string): { readonly rule: string; readonly id: string } | undefined {
  const match = /^fairlead:([A-Za-z0-9._-]{1,90}):([0-9a-f]{16})$/.exec(text);
  return match === null ? undefined : { rule: match[1]!, id: match[2]! };
}
