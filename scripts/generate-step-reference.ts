/** Writes docs/steps.md from the operations: `node --import tsx scripts/generate-step-reference.ts`. */
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CelType, formatType } from '../engine/cel/types.ts';
import { interfaceFields, route } from '../engine/step/network/shapes.ts';
import type { Operation } from '../engine/step/operation.ts';
import { OPERATIONS } from '../engine/step/operations/index.ts';
import type { FieldShape, ObjectShape, ShapeNode } from '../engine/text/shape.ts';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

/** What several operations take, described once. */
const ROUTE = route as ObjectShape;
const INTERFACE = interfaceFields as Readonly<Record<string, FieldShape>>;

/** The reference page of the operations, Markdown, from the same shapes that check arguments. */
export function stepReference(): string {
  const operations = [...OPERATIONS.values()];
  return [
    '# Steps',
    '<!-- Made by `node --import tsx scripts/generate-step-reference.ts` from engine/step/operations. -->',
    'Every operation that a step of a [NetworkRule](rule-language.md#steps) can have. Arguments that are not **required** may be left out. ' +
      'A dot leads into a map, `[]` into each item of a list. Arguments are templates: any of them may be an expression, `${...}`.',
    operations.map(({ name, doc }) => `- [\`${name}\`](#${name.toLowerCase()}): ${doc}`).join('\n'),
    ...operations.map(section),
    '## Interfaces',
    'What every interface of a container may be given.',
    table(Object.entries(INTERFACE).flatMap(([name, field]) => rowsOf(name, field))),
    '## Routes',
    'In the words of iproute2, or of CNI.',
    table(Object.entries(ROUTE.fields).flatMap(([name, field]) => rowsOf(name, field))),
    '',
  ].join('\n\n');
}

function section({ name, doc, arguments: shape, outputs, lifetime }: Operation): string {
  const ends = Object.entries(outputs).map(([field, type]) => `\`${field}\` (${outputType(type)})`);
  return [
    `## ${name}`,
    doc,
    table(innerRows('', plain(shape))),
    ...(lifetime === 'shared'
      ? ['The first who needs it makes it. It stays while anybody uses it, and goes when garbage is collected.']
      : []),
    ...(ends.length === 0 ? [] : [`\`steps.<id>\` has ${ends.join(', ')}.`]),
  ].join('\n\n');
}

const outputType = (type: CelType): string => OUTPUT_TYPES[formatType(type)] ?? formatType(type);
const OUTPUT_TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'integer',
  'map(string, string)': 'map of texts',
  dyn: 'any value',
};

/** The shape without its name and its further checks. */
function plain(shape: ShapeNode): ShapeNode {
  if (shape.kind === 'named') return plain(shape.shape());
  return shape.kind === 'refined' ? plain(shape.shape) : shape;
}

function objectRows(prefix: string, { fields }: Pick<ObjectShape, 'fields'>): readonly Row[] {
  const isInterface = Object.keys(INTERFACE).every((name) => fields[name] === INTERFACE[name]);
  const own = Object.entries(fields).filter(([name]) => !isInterface || !Object.hasOwn(INTERFACE, name));
  const shared: Row = { name: `${prefix}…`, type: '', doc: 'All of an [interface](#interfaces).' };
  return [...(isInterface ? [shared] : []), ...own.flatMap(([name, field]) => rowsOf(`${prefix}${name}`, field))];
}

function rowsOf(name: string, field: FieldShape): readonly Row[] {
  const isOptional = field.kind === 'optional';
  const given = isOptional ? field.shape : field;
  const shape = plain(given);
  const presence = !isOptional ? '**required**' : field.default === undefined ? '' : defaultText(field.default);
  const doc = [given.doc ?? shape.doc ?? '', presence].filter((part) => part !== '').join(' ');
  return [{ name, type: typeName(shape), doc }, ...innerRows(name, shape)];
}

/** Defaults of what is described field by field are told there. */
const defaultText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? '' : `Default: ${value === '' ? 'empty' : JSON.stringify(value)}.`;

/** What stands within an argument; the name is empty for all arguments of an operation. */
function innerRows(name: string, shape: ShapeNode): readonly Row[] {
  const prefix = name === '' ? '' : `${name}.`;
  switch (shape.kind) {
    case 'object':
      return shape === ROUTE ? [] : objectRows(prefix, shape);
    case 'choice':
      return [
        ...Object.entries(shape.variants).flatMap(([field, variant]) => rowsOf(`${prefix}${field}`, { kind: 'optional', shape: variant })),
        ...objectRows(prefix, { fields: shape.shared }),
      ];
    case 'list':
      return innerRows(`${name}[]`, plain(shape.item));
    case 'map':
      return innerRows(`${name}.<key>`, plain(shape.value));
    default:
      return [];
  }
}

function typeName(shape: ShapeNode): string {
  switch (shape.kind) {
    case 'string':
      return 'text';
    case 'any':
      return 'any value';
    case 'enum':
      return shape.values.map((value) => `\`${value}\``).join(', ');
    case 'integer':
    case 'number': {
      const { minimum, maximum } = shape;
      if (minimum === undefined && maximum === undefined) return shape.kind;
      return maximum === undefined ? `${shape.kind}, from ${minimum}` : `${shape.kind}, ${minimum ?? ''} to ${maximum}`;
    }
    case 'list':
      return plain(shape.item) === ROUTE ? 'list of [routes](#routes)' : `list of ${typeName(plain(shape.item))}`;
    case 'map':
      return `map of ${typeName(plain(shape.value))}`;
    case 'object':
    case 'choice':
      return 'map';
    case 'union':
      return [...new Set(shape.members.map((member) => typeName(plain(member))))].join(' or ');
    case 'named':
    case 'refined':
      return typeName(plain(shape));
    default:
      return shape.kind;
  }
}

function table(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(['argument', 'type', 'meaning']),
    line(['---', '---', '---']),
    ...rows.map(({ name, type, doc }) => line([`\`${name}\``, type, doc])),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(resolve(dirname(fileURLToPath(import.meta.url)), '..'), 'docs/steps.md'), stepReference());
}
