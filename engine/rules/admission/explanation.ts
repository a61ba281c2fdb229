/** Why the rules said what they said of one request: every expression with the values of its parts. */
export interface RuleExplanation {
  readonly ruleKind: string;
  readonly rule: string;
  readonly binding?: string;
  /** Why the rule has nothing to say; then nothing more is evaluated. */
  readonly skipped?: string;
  /** In the order of evaluation; variables where they were first asked for are listed after what asked. */
  readonly expressions: readonly ExpressionExplanation[];
}

export interface ExpressionExplanation {
  readonly role: 'matchCondition' | 'variable' | 'mutation' | 'validation' | 'messageExpression' | 'auditAnnotation';
  /** Name of the match condition, variable or annotation; position of a validation or mutation. */
  readonly label: string;
  /** Where it stands in the document, as `$.spec.validations[0].expression`. */
  readonly path: string;
  readonly text: string;
  /** What it gave, as text. */
  readonly value?: string;
  readonly error?: string;
  /** In Kubernetes' cost units. */
  readonly cost: number;
  /** The root last seen first: an outline of the expression, each part with its value. */
  readonly parts: readonly ExpressionPart[];
}

/** A part of an expression that was evaluated. */
export interface ExpressionPart {
  /** Offsets in the expression's text. */
  readonly start: number;
  readonly end: number;
  /** Nesting, 0 for the expression itself. */
  readonly depth: number;
  readonly value?: string;
  readonly error?: string;
  /** How often it was evaluated; the value is that of the last time. */
  readonly count: number;
}
