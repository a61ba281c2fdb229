import type { AdmissionProgram } from '../rules/admission/decision.ts';
import type { NetworkProgram } from '../rules/network/program.ts';
import type { ReconcileProgram } from '../rules/reconcile/program.ts';
import type { Diagnostic } from '../text/diagnostic.ts';

/** A bundle compiled: what runtimes host. There is a program only when no diagnostic is an error. */
export interface CompiledBundle {
  readonly name: string;
  readonly version: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly program?: BundleProgram;
}

/** The executors of all rules of a bundle, one field per kind. */
export interface BundleProgram {
  readonly admission: AdmissionProgram;
  readonly reconcile: ReconcileProgram;
  readonly network: NetworkProgram;
}
