import type { Activation, Program, Trace } from '../../engine/cel/program.ts';
import type { InstrumentExpression } from '../../engine/rules/admission/expressions.ts';
import type { Document } from '../../engine/text/document.ts';

/** One expression as it was evaluated for a request. */
export interface Evaluated {
  readonly document: Document;
  /** Where the expression stands in its document. */
  readonly path: string;
  readonly program: Program;
  readonly text: string;
  /** The last evaluation, with the values of all parts. */
  readonly trace: Trace;
}

/** Keeps what the expressions of a bundle were evaluated to, from one {@link ExpressionLog.take} to the next. */
export interface ExpressionLog {
  /** For `compileBundle`. */
  readonly instrument: InstrumentExpression;
  /** What was evaluated since the last call, in the order it was first needed. */
  take(): readonly Evaluated[];
}

/** A log for one bundle. Its programs run by the tracing back end only: slower, with exact costs. */
export function expressionLog(): ExpressionLog {
  let entries = new Map<string, Evaluated>();
  return {
    instrument(expression, document) {
      const { program, text, path } = expression;
      // Variants of a document (pod templates) share texts and paths, but not trees.
      const key = `${document.source.name}\n${document.index}\n${path}\n${text}`;
      const traced = (activation: Activation, limit: number | undefined): Trace => {
        const trace = program.trace(activation, { record: true, ...(limit === undefined ? {} : { limit }) });
        // What is found first to be needed is evaluated after what needs it has begun, and so listed before it.
        entries.set(key, { document, path, program, text, trace });
        return trace;
      };
      return {
        ...expression,
        program: {
          ast: program.ast,
          ...(program.refused === undefined ? {} : { refused: program.refused }),
          trace: (activation, options) => traced(activation, options?.limit),
          run(activation, meter) {
            const { outcome, cost } = traced(activation, meter.remaining);
            if (!outcome.ok) throw outcome.error;
            meter.remaining -= cost;
            return outcome.value;
          },
        },
      };
    },
    take() {
      const taken = [...entries.values()];
      entries = new Map();
      return taken;
    },
  };
}
