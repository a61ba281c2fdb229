import type { Diagnostic } from '../../engine/text/diagnostic.ts';
import type { Document, DocumentPath } from '../../engine/text/document.ts';

/** One expectation and how it came out, whatever kind of test it is from. */
export interface TestCase {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected and what was found; empty when it is as expected. */
  readonly problems: readonly string[];
  /** Where the expectation stands in the suite's document. */
  readonly path: DocumentPath;
}

/** The cases of one test document. */
export interface TestSuite {
  readonly name: string;
  readonly document: Document;
  readonly cases: readonly TestCase[];
  /** What is wrong with the test, or with the rules it is about. */
  readonly diagnostics: readonly Diagnostic[];
}
