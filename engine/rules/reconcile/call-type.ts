import { DYN, INT, TIMESTAMP, type TypeProvider } from '../../cel/types.ts';
import { structOf } from '../expressions.ts';

/** Type name of what expressions see of a call. */
export const CALL_TYPE = 'reconcile.Call';

const CALL_STRUCT = structOf(CALL_TYPE, { status: INT, body: DYN, at: TIMESTAMP });

/** Knows {@link CALL_TYPE}. */
export const CALL_TYPES: TypeProvider = { structType: (name) => (name === CALL_TYPE ? CALL_STRUCT : undefined) };
