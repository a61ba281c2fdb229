import type { AdmissionCase } from '../case.ts';
import { actionCases, annotationCases } from './actions.ts';
import { applyCases } from './apply-configuration.ts';
import { authorizerCases } from './authorizer.ts';
import { costCases } from './cost.ts';
import { errorActionCases, errorCases } from './errors.ts';
import { expressionLibraryCases } from './expressions.ts';
import { chainCases, jsonPatchCases } from './json-patch.ts';
import { libraryCases } from './libraries.ts';
import { conditionCases, matchingCases } from './matching.ts';
import { messageCases, reasonCases } from './messages.ts';
import { paramCases } from './params.ts';
import { randomCases } from './random.ts';
import { refusedCases } from './refused.ts';
import { requestCases } from './requests.ts';
import { subresourceCases } from './subresources.ts';
import { variableCases } from './variables.ts';

/** Every case of our own. */
export const allCases: readonly AdmissionCase[] = [
  ...messageCases,
  ...reasonCases,
  ...errorCases,
  ...errorActionCases,
  ...variableCases,
  ...costCases,
  ...paramCases,
  ...matchingCases,
  ...conditionCases,
  ...actionCases,
  ...annotationCases,
  ...authorizerCases,
  ...requestCases,
  ...subresourceCases,
  ...applyCases,
  ...jsonPatchCases,
  ...chainCases,
  ...refusedCases,
  ...randomCases,
  ...expressionLibraryCases,
  ...libraryCases,
];
