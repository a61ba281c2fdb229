import type { Expr } from '../../../cel/ast.ts';
import type { Span } from '../../../text/diagnostic.ts';
import type { Kind } from './leaf.ts';
import type { CelNodes } from './nodes.ts';

/** A text in pieces: what stands there, and CEL of type string for what is known at run time. */
export type PathText = readonly (string | ((nodes: CelNodes) => Expr))[];

/** A value of the object that is judged. */
export interface Place {
  readonly span: Span;
  /** How messages name it, with a dot in front of each field. */
  readonly path: PathText;
  /** The fields that lead to it from the object, where nothing else does; with how messages name such a path. */
  readonly fields?: { readonly names: readonly string[]; readonly shown: (names: readonly string[]) => readonly string[] } | undefined;
  /** Nodes that read the value, new ones each time. */
  readonly value: (nodes: CelNodes) => () => Expr;
}

/** A field of a struct. */
export function step(place: Place, span: Span, name: string): Place {
  const fields = place.fields && { ...place.fields, names: [...place.fields.names, name] };
  return {
    span,
    path: fields === undefined ? [...place.path, fieldText(name)] : fields.shown(fields.names).map(fieldText),
    fields,
    value: (nodes) => () => nodes.select(span, place.value(nodes)(), name),
  };
}

function fieldText(name: string): string {
  return /^[A-Za-z_][\w-]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** A field whose label a loop's variable holds. */
export function withKey(path: PathText, span: Span, variable: string): PathText {
  return [...path, '[', (nodes) => nodes.method(span, nodes.ident(span, 'strings'), 'quote', nodes.ident(span, variable)), ']'];
}

/** An item of a list whose index a loop's variable holds. */
export function withIndex(path: PathText, span: Span, variable: string): PathText {
  return [...path, '[', (nodes) => nodes.call(span, 'string', nodes.ident(span, variable)), ']'];
}

/** A message about the value at a path. */
export function pathMessage(nodes: CelNodes, span: Span, path: PathText, rest: PathText): Expr {
  const pieces: (string | ((nodes: CelNodes) => Expr))[] = [];
  for (const piece of [...(path.length === 0 ? ['object'] : path), ...rest]) {
    const last = pieces.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  if (typeof pieces[0] === 'string') pieces[0] = pieces[0].replace(/^\./, '');
  const [head, ...tail] = pieces.map((piece) => (typeof piece === 'string' ? nodes.literal(span, piece) : piece(nodes)));
  return tail.reduce((text, piece) => nodes.call(span, '_+_', text, piece), head!);
}

const MAX_SHOWN = 100;

/** The value as a message shows it: strings in quotes and not too long, lists and structs by their name. */
export function shownValue(span: Span, place: Place): (nodes: CelNodes) => Expr {
  return (nodes) => {
    const value = place.value(nodes);
    const isA = (type: string) => nodes.call(span, '_==_', nodes.call(span, 'type', value()), nodes.ident(span, type));
    const when = (condition: Expr, then: Expr, otherwise: Expr) => nodes.call(span, '_?_:_', condition, then, otherwise);
    // Asked of any type, for which a declared one would not do.
    const text = () => nodes.call(span, 'string', nodes.call(span, 'dyn', value()));
    const isLong = nodes.call(span, '_>_', nodes.call(span, 'size', text()), nodes.literal(span, MAX_SHOWN));
    const start = nodes.method(span, text(), 'substring', nodes.literal(span, 0), nodes.literal(span, MAX_SHOWN));
    const cut = when(isLong, nodes.call(span, '_+_', start, nodes.literal(span, '…')), text());
    const quoted = nodes.method(span, nodes.ident(span, 'strings'), 'quote', cut);
    const plain = when(isA('null_type'), nodes.literal(span, 'null'), text());
    const struct = when(isA('map'), nodes.literal(span, 'a struct'), plain);
    return when(isA('string'), quoted, when(isA('list'), nodes.literal(span, 'a list'), struct));
  };
}

const KINDS: Readonly<Record<Kind, string>> = {
  null: 'null',
  bool: 'a bool',
  int: 'an int',
  float: 'a float',
  number: 'a number',
  string: 'a string',
  bytes: 'bytes',
  list: 'a list',
  struct: 'a struct',
};

export function kindSentence(kind: Kind): string {
  return ` is not ${KINDS[kind]}`;
}
