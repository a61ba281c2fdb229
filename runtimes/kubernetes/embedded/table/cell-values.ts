import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { labelSelectorOf } from '../../../../engine/object/label-selector.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import { age } from './age.ts';

/** A cell of a column, from the object of its row. `now`: milliseconds since the epoch. */
export type Cell = (object: JsonObject, now: number) => Json;

/** The text at a path, or what stands for a missing one. */
export function textAt(path: string, missing = ''): Cell {
  const names = path.split('.');
  return (object) => {
    const value = fieldOf(object, ...names);
    return value === undefined || value === null || value === '' ? missing : typeof value === 'object' ? missing : String(value);
  };
}

/** The number at a path, 0 where there is none. */
export function numberAt(path: string): Cell {
  const names = path.split('.');
  return (object) => numberOf(fieldOf(object, ...names));
}

/** Time since the moment at a path. */
export function ageAt(path: string, missing = '<unknown>'): Cell {
  const names = path.split('.');
  return (object, now) => {
    const value = fieldOf(object, ...names);
    return typeof value === 'string' && value !== '' ? age(value, now) : missing;
  };
}

/** How many items a list, or fields a map, has. */
export function countAt(...paths: readonly string[]): Cell {
  return (object) => {
    let count = 0;
    for (const path of paths) {
      const value = fieldOf(object, ...path.split('.'));
      if (Array.isArray(value)) count += value.length;
      else if (isJsonObject(value)) count += Object.keys(value).length;
    }
    return count;
  };
}

export function flagAt(path: string, missing = false): Cell {
  const names = path.split('.');
  return (object) => {
    const value = fieldOf(object, ...names);
    return typeof value === 'boolean' ? value : missing;
  };
}

export function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** The maps of a list at a path. */
export function mapsAt(object: JsonObject, path: string): readonly JsonObject[] {
  const list = fieldOf(object, ...path.split('.'));
  return Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : [];
}

/** `a=b,c=d`, `<none>` for no labels. */
export function labelsText(labels: Json | undefined): string {
  if (!isJsonObject(labels) || Object.keys(labels).length === 0) return '<none>';
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`)
    .join(',');
}

/** A label selector as `kubectl -l` takes it. */
export function selectorText(selector: Json | undefined): string {
  const parsed = labelSelectorOf(selector ?? {});
  if (!parsed.ok) return '<error>';
  return parsed.selector.text === '' ? '<none>' : parsed.selector.text;
}

/** Names or images of the containers of a template. */
export function containersAt(path: string, field: 'name' | 'image'): Cell {
  return (object) =>
    mapsAt(object, path)
      .map((container) => String(ownValue(container, field) ?? ''))
      .join(',');
}
