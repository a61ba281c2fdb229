import type { Span } from '../diagnostic.ts';

/** An expression of the part of CUE that says what data must look like. Spans are offsets into the text. */
export type CueExpr = CueStruct | CueList | CueLiteral | CueReference | CueSelector | CueCall | CueUnary | CueTerms;

export interface CueStruct extends Span {
  readonly kind: 'struct';
  readonly declarations: readonly CueDeclaration[];
}

export type CueDeclaration =
  | CueField
  /** `[pattern]: value` */
  | (Span & { readonly kind: 'pattern'; readonly pattern: CueExpr; readonly value: CueExpr })
  | (Span & { readonly kind: 'let'; readonly name: string; readonly value: CueExpr })
  | (Span & { readonly kind: 'embedding'; readonly value: CueExpr })
  /** `...` */
  | (Span & { readonly kind: 'ellipsis' });

export interface CueField extends Span {
  readonly kind: 'field';
  readonly name: string;
  /** `"a"` names data; a bare `#a` is a definition, a bare `_a` is hidden. */
  readonly role: 'data' | 'definition' | 'hidden';
  /** Whether a reference may name it: a quoted label can't be named. */
  readonly nameable: boolean;
  readonly optional: boolean;
  readonly label: Span;
  readonly value: CueExpr;
}

export interface CueList extends Span {
  readonly kind: 'list';
  readonly items: readonly CueExpr[];
  /** `...T`; a bare `...` takes anything. */
  readonly rest?: CueExpr | 'anything';
}

export interface CueLiteral extends Span {
  readonly kind: 'literal';
  readonly value: CueScalar;
}

/** A number keeps its kind: CUE's `1` and `1.0` are not the same. */
export type CueScalar =
  | null
  | boolean
  | string
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number };

export interface CueReference extends Span {
  readonly kind: 'reference';
  readonly name: string;
}

/** `strings.MinRunes` */
export interface CueSelector extends Span {
  readonly kind: 'selector';
  readonly operand: CueExpr;
  readonly name: string;
}

export interface CueCall extends Span {
  readonly kind: 'call';
  readonly callee: CueExpr;
  readonly args: readonly CueExpr[];
}

export type CueBound = '<' | '<=' | '>' | '>=' | '!=' | '=~' | '!~';

/** A bound (`>= 1`), the mark of a default (`*1`), or the sign of a number that is not a literal. */
export interface CueUnary extends Span {
  readonly kind: 'unary';
  readonly operator: CueBound | '*';
  readonly operand: CueExpr;
}

/** `a & b & c`, `a | b | c` */
export interface CueTerms extends Span {
  readonly kind: 'and' | 'or';
  readonly terms: readonly CueExpr[];
}

/** A mistake in CUE text, or something of CUE that is not read here. Offsets are UTF-16 offsets into the text. */
export interface CueIssue extends Span {
  /** `syntax`, `unsupported`, `too-large`, `undefined`, ...: prefixed `cue-` in diagnostics. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Thrown inside the room; what the room offers answers with the issue. */
export class CueMistake extends Error {
  constructor(readonly issue: CueIssue) {
    super(issue.message);
  }
}

/** Ends the reading of the text with an issue. */
export function refuse(span: Span, code: string, message: string, hint?: string): never {
  throw new CueMistake({ code, message, start: span.start, end: span.end, ...(hint === undefined ? {} : { hint }) });
}
