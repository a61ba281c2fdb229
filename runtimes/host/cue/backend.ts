import type { CueBackend } from '../../../engine/text/cue.ts';
import { findCueBinary } from './binary.ts';
import { findCueWasm } from './wasm.ts';

let found: Promise<CueBackend | undefined> | undefined;

/**
 * What evaluates CUE here: a `cue` binary on PATH (the whole language, exact positions), otherwise the package cue-wasm (CUE 0.4.3: no
 * required fields `!`, no imports other than CUE's own), otherwise nothing. Looked for once per process.
 */
export function findCueBackend(): Promise<CueBackend | undefined> {
  found ??= findCueBinary(process.env).then((binary) => binary ?? findCueWasm());
  return found;
}
