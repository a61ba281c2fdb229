import type { CelIssue } from '../cel/issue.ts';
import type { JsonObject } from '../object/json.ts';
import type { Diagnostic } from '../text/diagnostic.ts';
import type { Document, DocumentPath } from '../text/document.ts';
import type { Operation } from './operation.ts';

/** The operations that a rule may use, by name. */
export type OperationTable = ReadonlyMap<string, Operation>;

/** Where the compiler of steps says what is wrong: the part of a rule's reporter that it needs. */
export interface StepReport {
  readonly document: Document;
  add(diagnostic: Diagnostic): void;
  error(path: DocumentPath, code: string, message: string, hint?: string): void;
  issue(path: DocumentPath, issue: CelIssue, options?: { readonly offset?: number }): void;
}

/** Text in CEL, and where it stands. */
export interface StepExpressionSource {
  readonly path: DocumentPath;
  readonly text: string;
  readonly offset?: number;
}

/** A step whose form is right, before its expressions are looked at. */
export interface StepSource {
  /** Where it stands in its document. */
  readonly path: DocumentPath;
  readonly operation: Operation;
  readonly arguments: { readonly path: DocumentPath; readonly value: JsonObject };
  readonly id: { readonly path: DocumentPath; readonly text: string } | undefined;
  readonly when: StepExpressionSource | undefined;
  readonly forEach: StepExpressionSource | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}
