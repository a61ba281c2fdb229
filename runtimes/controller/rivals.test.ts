import { expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { rivalsOf } from './rivals.ts';

const entry = (manager: string, operation: string, fieldsV1: JsonObject): JsonObject => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
});
const object = (data: JsonObject, managedFields: readonly Json[]): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', managedFields },
  data,
});

it.each<readonly [title: string, managers: readonly Json[], rivals: readonly unknown[]]>([
  ['nobody else', [entry('fairlead/r', 'Apply', { 'f:data': { 'f:x': {}, 'f:y': {} } })], []],
  [
    'one who sets it otherwise',
    [entry('kubectl-edit', 'Update', { 'f:data': { 'f:x': {} } })],
    [{ manager: 'kubectl-edit', fields: ['.data.x'] }],
  ],
  ['one who sets it to what is wanted', [entry('other', 'Apply', { 'f:data': { 'f:y': {} } })], []],
  ['one who sets what is not ours', [entry('other', 'Apply', { 'f:data': { 'f:theirs': {} } })], []],
  [
    'somebody who updates under our name',
    [entry('fairlead/r', 'Update', { 'f:data': { 'f:x': {} } })],
    [{ manager: 'fairlead/r', fields: ['.data.x'] }],
  ],
  ['unreadable books', [{ manager: 'other' }], []],
])('rivals: %s', (_title, managers, rivals) => {
  const live = object({ x: 'is', y: 'same', theirs: '1' }, managers);
  expect(rivalsOf(live, object({ x: 'wanted', y: 'same' }, []), 'fairlead/r')).toEqual(rivals);
});
