import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../engine/object/json.ts';
import { maskSecretPair } from '../../engine/object/secret-mask.ts';
import { visible } from '../../engine/text/display-width.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import type { ColorName, Paint } from './context.ts';
import { renderDiff } from './text-diff.ts';

/** What becomes of one object. */
export interface Change {
  readonly action: 'create' | 'change' | 'none' | 'delete' | 'release';
  /** `Deployment shop/web`. */
  readonly label: string;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  /** Said behind the label. */
  readonly note?: string;
}

const WORDS: Readonly<Record<Change['action'], readonly [ColorName, string]>> = {
  create: ['green', 'creates'],
  change: ['cyan', 'changes'],
  none: ['faint', 'keeps  '],
  delete: ['red', 'deletes'],
  release: ['yellow', 'leaves '],
};

/** A change as people read it: a line, with the difference below it, or the object as a whole where it is new and that was asked for. Secrets are masked. */
export function changeLines({ action, label, before, after, note = '' }: Change, color: Paint, whole: boolean): string {
  const line = `  ${color(...WORDS[action])} ${color('bold', visible(label))}${note}\n`;
  if (action === 'create' && whole) return line + indented(printYaml(maskSecretPair(null, after)[1]), '    ');
  if (action !== 'change') return line;
  const [shownBefore, shownAfter] = maskSecretPair(before, after);
  return line + renderDiff(printYaml(shownBefore), printYaml(inOrderOf(shownAfter, shownBefore)), color);
}

/** The same with its keys in the order of another object: servers answer in different orders, which is no difference. */
function inOrderOf(value: Json, model: Json): Json {
  if (Array.isArray(value)) return Array.isArray(model) ? value.map((item: Json, i) => inOrderOf(item, (model[i] as Json) ?? null)) : value;
  if (!isJsonObject(value) || !isJsonObject(model)) return value;
  const ordered: { [key: string]: Json } = {};
  for (const key of [...Object.keys(model), ...Object.keys(value)]) {
    if (Object.hasOwn(value, key) && !Object.hasOwn(ordered, key))
      setOwn(ordered, key, inOrderOf(value[key]!, ownValue(model, key) ?? null));
  }
  return ordered;
}

/** An object that would not be written, and why. */
export function refusedLine(label: string, problem: string, color: Paint): string {
  return `  ${color('red', 'refused')} ${color('bold', visible(label))}: ${visible(problem)}\n`;
}

/** Every line that is not empty, behind an indentation. */
export const indented = (text: string, indent: string): string => text.replaceAll(/^(?=.)/gm, indent);
