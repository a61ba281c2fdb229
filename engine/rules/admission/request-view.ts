import type { CelValue } from '../../cel/values.ts';
import {
  type AuthorizerValues,
  type HostValues,
  namespaceValue,
  type RequestActivation,
  requestActivation,
  requestValue,
  type UsedVariables,
} from './activation.ts';
import type { AdmissionRequest, GroupVersionKind, GroupVersionResource, JsonObject } from './decision.ts';
import { readsTheSame } from './equivalent-resources.ts';
import type { FactReader } from './fact-reader.ts';

/** Where the values of variables come from that are not part of a request. */
export interface ViewParts {
  /** Values of `authorizer` for a request; made when an expression asks for them. */
  readonly authorizers: (request: AdmissionRequest, facts: FactReader) => AuthorizerValues;
  /** Values of variables that only some kinds of policies declare. */
  readonly host?: (request: AdmissionRequest, facts: FactReader) => HostValues;
}

/** The resource and kind that a policy matched a request as. */
export interface MatchedAs {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** Shows one request to the expressions of policies: each sees it as the version of the kind that it asked for. */
export class RequestView {
  readonly activation: RequestActivation;
  readonly #request: AdmissionRequest;
  readonly #facts: FactReader;
  readonly #parts: ViewParts;
  /** What {@link RequestActivation.request} was made for. */
  #shownAs: MatchedAs;

  constructor(request: AdmissionRequest, facts: FactReader, parts: ViewParts) {
    this.activation = requestActivation(request);
    this.#request = request;
    this.#facts = facts;
    this.#parts = parts;
    this.#shownAs = request;
  }

  /**
   * Fills in what expressions read, the objects as the version that was asked for. `conversion`: that would need a real
   * conversion. `no-namespace`: an expression asks for a namespace that is not there. May throw NEEDS_FACTS.
   */
  show(uses: UsedVariables, match: MatchedAs, object: JsonObject | null): 'seen' | 'conversion' | 'no-namespace' {
    const { activation } = this;
    const own = this.#request.kind;
    const { kind } = match;
    if (kind === own || (kind.group === own.group && kind.version === own.version && kind.kind === own.kind)) this.showObjects(object);
    else {
      if (!readsTheSame(own, kind)) return 'conversion';
      activation.object = withApiVersion(object, kind) as CelValue;
      activation.oldObject = withApiVersion(this.#request.oldObject ?? null, kind) as CelValue;
    }
    if (uses.request) this.showRequest(match);
    if (uses.namespaceObject || uses.authorizer || uses.host) this.showMore(uses);
    return uses.namespaceObject && activation.namespaceObject === undefined ? 'no-namespace' : 'seen';
  }

  /** The objects as they are in the request; `object` may have been mutated since. */
  showObjects(object: JsonObject | null): void {
    this.activation.object = object as CelValue;
    this.activation.oldObject = (this.#request.oldObject ?? null) as CelValue;
  }

  showRequest({ resource, kind }: MatchedAs): void {
    const { activation } = this;
    if (activation.request !== undefined && this.#shownAs.kind === kind && this.#shownAs.resource === resource) return;
    this.#shownAs = { resource, kind };
    activation.request = requestValue(this.#request, resource, kind);
  }

  /** What costs something to fill in. Leaves `namespaceObject` undefined when there is no such namespace. May throw NEEDS_FACTS. */
  showMore(uses: UsedVariables): void {
    const { activation } = this;
    if (uses.namespaceObject && activation.namespaceObject === undefined) {
      activation.namespaceObject = namespaceValue(this.#request, this.#facts);
    }
    if (uses.authorizer && activation.authorizer === undefined) {
      const { authorizer, requestResource } = this.#parts.authorizers(this.#request, this.#facts);
      activation.authorizer = authorizer;
      activation['authorizer.requestResource'] = requestResource;
    }
    if (uses.host && this.#parts.host !== undefined) Object.assign(activation, this.#parts.host(this.#request, this.#facts));
  }

  /** An object of the version that a policy asked for, back in the version of the request. */
  asRequested(object: JsonObject, kind: GroupVersionKind): JsonObject {
    const own = this.#request.kind;
    return kind.group === own.group && kind.version === own.version ? object : (withApiVersion(object, own) as JsonObject);
  }
}

function withApiVersion(object: JsonObject | null, kind: GroupVersionKind): JsonObject | null {
  return object === null ? null : { ...object, apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}` };
}
