import { type FieldError, fieldForbidden, fieldNotSupported } from '../field-error.ts';
import { badRequest, invalid } from '../status-error.ts';

/** The revision of a `resourceVersion`, 0 for ``; throws a 400 for what is no number. */
export function parseResourceVersion(text: string): number {
  if (text === '') return 0;
  if (!/^[0-9]{1,19}$/.test(text)) {
    throw badRequest(`invalid resource version "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`);
  }
  return Number(text);
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
      const detail = `sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`;
      errors.push(fieldForbidden('resourceVersionMatch', detail));
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
