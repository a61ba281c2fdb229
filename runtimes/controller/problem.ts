import { ApiError, ConnectionError, failureText } from '../kubernetes/api-error.ts';
import { UnknownKind } from './writer.ts';

/** Something that keeps an instance from being what its rule says. */
export interface Problem {
  /** For a condition: one word in CamelCase. */
  readonly reason: string;
  /** What was expected, what was found, and what to do. */
  readonly message: string;
  /** Nothing gets better by trying again: a person must change the rule, the instance or the cluster. */
  readonly stalled: boolean;
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter?: number;
}

/** Kubernetes bounds a condition's message to 32 768 characters; nobody reads as many. */
const LONGEST_MESSAGE = 1024;

export function problem(reason: string, message: string, stalled: boolean): Problem {
  return { reason, message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message, stalled };
}

/** Errors that `undefined` and `null` schema fields, immutable fields and the like end in. */
const IMMUTABLE = /field is immutable|updates to \S+ spec for fields other than|may not change once set|is immutable/i;

/** Whether the server refuses a write because a field that exists may not be changed. */
export function isImmutableField(error: unknown): boolean {
  return error instanceof ApiError && error.status === 422 && IMMUTABLE.test(error.message);
}

/** Whether an apply failed because other managers own fields. */
export function isFieldConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.hasCause('FieldManagerConflict');
}

/** What the failure of a request about `what` (`Deployment shop/web`) means for an instance. */
export function problemOf(error: unknown, verb: string, what: string): Problem {
  if (error instanceof ApiError) {
    const retry = error.retryAfterSeconds === undefined ? {} : { retryAfter: error.retryAfterSeconds * 1000 };
    const text = `${verb} ${what}: ${failureText(error)}`;
    if (isFieldConflict(error)) {
      return problem('FieldConflict', `${text}. Take the fields out of the rule, list them under ignore, or set force: true.`, true);
    }
    if (isImmutableField(error)) {
      return problem('ImmutableField', `${text}. Restore the former value, or set onImmutable: Recreate.`, true);
    }
    switch (error.status) {
      case 400:
      case 422:
        return problem('InvalidObject', `${text}. The template makes an object that the server does not accept.`, true);
      case 401:
        return problem('Unauthorized', `${text}. The controller's credentials are not accepted; renew them.`, false);
      case 403:
        return problem(isQuota(error) ? 'QuotaExceeded' : 'Forbidden', text, false);
      case 404:
        return problem('NotFound', `${text}. Its namespace or its kind does not exist yet.`, false);
      case 409:
        return problem('Conflict', text, false);
      case 429:
      case 503:
        return { ...problem('ServerBusy', text, false), ...retry };
      default:
        return { ...problem(error.status >= 500 ? 'ServerError' : 'Refused', text, false), ...retry };
    }
  }
  if (error instanceof UnknownKind) return problem('UnknownKind', `${verb} ${what}: ${error.message}`, false);
  if (error instanceof ConnectionError) return problem('Unreachable', `${verb} ${what}: ${failureText(error)}`, false);
  return problem('Failed', `${verb} ${what}: ${failureText(error)}`, false);
}

const isQuota = (error: ApiError): boolean => /exceeded quota/.test(error.message);

/** Several problems as one: the first that a person must see to, else the first. */
export function worstOf(problems: readonly Problem[]): Problem | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const worst = problems.find((each) => each.stalled) ?? first;
  if (problems.length === 1) return worst;
  const texts = [...new Set(problems.map(({ message }) => message))];
  return problem(worst.reason, [worst.message, ...texts.filter((text) => text !== worst.message)].join('; '), worst.stalled);
}
