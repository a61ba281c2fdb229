import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { type FieldError, fieldForbidden, fieldNotSupported } from '../field-error.ts';
import { badRequest, invalid, StatusError } from '../status-error.ts';

/** The revision of a `resourceVersion`, 0 for ``. Throws for what is no number: a list says that the client is wrong, others do not. */
export function parseResourceVersion(text: string, isList = false): number {
  if (text === '') return 0;
  if (/^[0-9]{1,19}$/.test(text)) return Number(text);
  const why = `resourceVersion: Invalid value: ${goQuote(text)}: strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`;
  throw isList ? badRequest(`invalid resource version: ${why}`) : new StatusError(500, undefined, why);
}

/**
 * Refuses combinations of options that have no meaning. Kubernetes: apimachinery pkg/apis/meta/internalversion/validation.
 */
export function checkVersionOptions(
  options: { readonly resourceVersion: string; readonly resourceVersionMatch: string; readonly sendInitialEvents: boolean | undefined },
  isWatch: boolean,
  continueToken: string,
): void {
  const { resourceVersion, resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (isWatch) {
    if (match !== '' && sendInitialEvents === undefined) {
      errors.push(
        fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    }
    if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
      const detail = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
      errors.push(fieldForbidden('resourceVersionMatch', detail));
      if (match !== '') errors.push(fieldNotSupported('resourceVersionMatch', match, ['NotOlderThan']));
    }
  } else {
    if (sendInitialEvents !== undefined) errors.push(fieldForbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
    if (match !== '') {
      if (resourceVersion === '') {
        errors.push(fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
      }
      if (continueToken !== '')
        errors.push(fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
      if (match !== 'Exact' && match !== 'NotOlderThan') {
        errors.push(fieldNotSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
      }
      if (match === 'Exact' && resourceVersion === '0') {
        errors.push(fieldForbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
      }
    }
  }
  if (errors.length > 0) throw invalid('meta.k8s.io', 'ListOptions', '', errors);
}
