import type { Json, JsonObject } from '../../object/json.ts';
import type { Effect, HttpAnswer, ProgramResult, Steps } from '../effect.ts';

/** Runs a program of the host's allow list; an exit code that is not 0 is an answer. */
export function* run(request: Omit<Extract<Effect, { kind: 'run' }>, 'kind'>): Steps<ProgramResult> {
  return (yield { kind: 'run', ...request }) as ProgramResult;
}

/** Sends a request; any status is an answer. */
export function* http(request: Omit<Extract<Effect, { kind: 'http' }>, 'kind'>): Steps<HttpAnswer> {
  return (yield { kind: 'http', ...request }) as HttpAnswer;
}

/** An effect of a protocol on a floor above, by its name there. */
export function* custom<Answer = Json>(name: string, request: JsonObject): Steps<Answer> {
  return (yield { kind: 'custom', name, request }) as Answer;
}
