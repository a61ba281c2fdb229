import type { Ast, Call, Comprehension, Expr, Select } from '../../cel/ast.ts';

/** Where a controller keeps its pod template. */
export interface TemplatePlace {
  /** Fields from the object to the template: `spec.template`, `spec.jobTemplate.spec.template`. */
  readonly template: readonly string[];
}

export const CONTROLLER_TEMPLATE: TemplatePlace = { template: ['spec', 'template'] };
export const CRON_JOB_TEMPLATE: TemplatePlace = { template: ['spec', 'jobTemplate', 'spec', 'template'] };

/** Controllers by where their template is, in Kubernetes' own groups. */
export const TEMPLATE_RESOURCES: readonly {
  readonly place: TemplatePlace;
  readonly group: string;
  readonly version: string;
  readonly resources: Readonly<Record<string, string>>;
}[] = [
  {
    place: CONTROLLER_TEMPLATE,
    group: 'apps',
    version: 'v1',
    resources: { deployments: 'Deployment', statefulsets: 'StatefulSet', daemonsets: 'DaemonSet', replicasets: 'ReplicaSet' },
  },
  { place: CONTROLLER_TEMPLATE, group: 'batch', version: 'v1', resources: { jobs: 'Job' } },
  { place: CONTROLLER_TEMPLATE, group: '', version: 'v1', resources: { replicationcontrollers: 'ReplicationController' } },
  { place: CRON_JOB_TEMPLATE, group: 'batch', version: 'v1', resources: { cronjobs: 'CronJob' } },
];

/**
 * Fields of the metadata that a pod has and its template does not. An expression that asks for them means the request's own
 * object.
 */
export const OWN_METADATA: ReadonlySet<string> = new Set([
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'managedFields',
]);

const ROOTS: ReadonlySet<string> = new Set(['object', 'oldObject']);

/**
 * Rewrites an expression about a pod to one about the pod template of a controller: `object.spec` becomes
 * `object.spec.template.spec`, `object.metadata` the template's metadata. It works on the tree: strings, fields of other
 * things that are called the same, and loop variables named `object` are left alone. `object` as a whole stays the object
 * of the request.
 */
export function rewriteForTemplate(ast: Ast, place: TemplatePlace, ownMetadata: ReadonlySet<string> = OWN_METADATA): Ast {
  const rewriter = new TemplateRewriter(ast.nodeCount, place, ownMetadata);
  const root = rewriter.rewrite(ast.root, ROOTS);
  return rewriter.changed ? { text: ast.text, root, nodeCount: rewriter.nodeCount } : ast;
}

class TemplateRewriter {
  nodeCount: number;
  changed = false;
  readonly #place: TemplatePlace;
  readonly #ownMetadata: ReadonlySet<string>;
  /** A macro's arguments are nodes of its expansion; they have to stay the same nodes. */
  readonly #done = new Map<Expr, Expr>();

  constructor(nodeCount: number, place: TemplatePlace, ownMetadata: ReadonlySet<string>) {
    this.nodeCount = nodeCount;
    this.#place = place;
    this.#ownMetadata = ownMetadata;
  }

  /** `roots`: names that stand for the object here, not hidden by a loop variable. */
  rewrite(expr: Expr, roots: ReadonlySet<string>): Expr {
    const known = this.#done.get(expr);
    if (known !== undefined) return known;
    const rewritten = this.#rewrite(expr, roots);
    this.#done.set(expr, rewritten);
    return rewritten;
  }

  #rewrite(expr: Expr, roots: ReadonlySet<string>): Expr {
    const again = (child: Expr): Expr => this.rewrite(child, roots);
    const access = accessOf(expr);
    if (access !== undefined) {
      const inner = accessOf(access.operand);
      // object.metadata.name: the field decides whose metadata is meant.
      if (inner !== undefined && isRoot(inner.operand, roots) && inner.field === 'metadata' && this.#ownMetadata.has(access.field))
        return expr;
      if (isRoot(access.operand, roots) && (access.field === 'spec' || access.field === 'metadata'))
        return this.#intoTemplate(expr, access);
    }
    switch (expr.kind) {
      case 'literal':
      case 'ident':
        return expr;
      case 'select':
        return { ...expr, operand: again(expr.operand) };
      case 'call':
        return { ...expr, ...(expr.target === undefined ? {} : { target: again(expr.target) }), args: expr.args.map(again) };
      case 'list':
        return { ...expr, elements: expr.elements.map(again) };
      case 'map':
        return { ...expr, entries: expr.entries.map((entry) => ({ ...entry, key: again(entry.key), value: again(entry.value) })) };
      case 'struct':
        return { ...expr, fields: expr.fields.map((field) => ({ ...field, value: again(field.value) })) };
      case 'comprehension':
        return this.#comprehension(expr, roots);
    }
  }

  #comprehension(expr: Comprehension, roots: ReadonlySet<string>): Comprehension {
    const hidden = [expr.iterVar, expr.iterVar2, expr.accuVar].filter((name) => name !== undefined && roots.has(name));
    const inner = hidden.length === 0 ? roots : new Set([...roots].filter((name) => !hidden.includes(name)));
    const iterRange = this.rewrite(expr.iterRange, roots);
    const accuInit = this.rewrite(expr.accuInit, roots);
    const [loopCondition, loopStep, result] = [expr.loopCondition, expr.loopStep, expr.result].map((part) => this.rewrite(part, inner));
    return {
      ...expr,
      iterRange,
      accuInit,
      loopCondition: loopCondition!,
      loopStep: loopStep!,
      result: result!,
      macro: {
        ...expr.macro,
        ...(expr.macro.target === undefined ? {} : { target: this.rewrite(expr.macro.target, roots) }),
        args: expr.macro.args.map((arg) => this.rewrite(arg, inner)),
      },
    };
  }

  /** `object.spec` → `object.spec.template.spec`, in the manner (`.`, `.?`, `[]`) in which it was written. */
  #intoTemplate(expr: Expr, access: Access): Expr {
    this.changed = true;
    let operand = access.operand;
    for (const field of this.#place.template) operand = this.#access(expr, operand, field);
    return expr.kind === 'select' ? { ...expr, operand } : { ...(expr as Call), args: [operand, (expr as Call).args[1]!] };
  }

  #access(like: Expr, operand: Expr, field: string): Expr {
    const at = { start: like.start, end: like.end, at: like.at };
    if (like.kind === 'call') {
      const literal: Expr = { kind: 'literal', id: ++this.nodeCount, ...at, value: field };
      return { kind: 'call', id: ++this.nodeCount, ...at, fn: like.fn, args: [operand, literal] };
    }
    const select: Select = { kind: 'select', id: ++this.nodeCount, ...at, operand, field, testOnly: false };
    return select;
  }
}

interface Access {
  readonly operand: Expr;
  readonly field: string;
}

/** `operand.field`, `operand.?field`, `operand['field']`, `operand[?'field']`. */
function accessOf(expr: Expr): Access | undefined {
  if (expr.kind === 'select') return { operand: expr.operand, field: expr.field };
  if (expr.kind !== 'call' || !ACCESS_OPERATORS.has(expr.fn) || expr.args.length !== 2) return undefined;
  const [operand, field] = expr.args;
  return field!.kind === 'literal' && typeof field!.value === 'string' ? { operand: operand!, field: field!.value } : undefined;
}

const ACCESS_OPERATORS = new Set(['_[_]', '_?._', '_[?_]']);

function isRoot(expr: Expr, roots: ReadonlySet<string>): boolean {
  return expr.kind === 'ident' && roots.has(expr.name.startsWith('.') ? expr.name.slice(1) : expr.name);
}
