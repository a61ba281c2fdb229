import { AuthorizerValue, ResourceCheckValue } from '../../cel/libraries/authorizer.ts';
import type { AuthorizerValues } from './activation.ts';
import type { AdmissionRequest } from './decision.ts';
import type { FactReader } from './fact-reader.ts';

/** `authorizer` for the user of a request, and `authorizer.requestResource` for what the request is about. */
export function authorizerValues(request: AdmissionRequest, facts: FactReader): AuthorizerValues {
  const authorizer = new AuthorizerValue(request.userInfo, (question) => facts.authorize(question));
  const attributes = request.requestResource ?? request.resource;
  const subresource = request.requestSubResource ?? request.subResource;
  return {
    authorizer,
    requestResource: new ResourceCheckValue(authorizer, {
      group: attributes.group,
      resource: attributes.resource,
      ...(subresource ? { subresource } : {}),
      ...(request.namespace ? { namespace: request.namespace } : {}),
      ...(request.name ? { name: request.name } : {}),
    }),
  };
}
