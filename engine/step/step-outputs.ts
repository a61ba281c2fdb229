import { type CelType, listOf, object, type StructType, type TypeProvider } from '../cel/types.ts';
import type { Operation } from './operation.ts';

/**
 * The type of `steps`: a field for each id, known from when its step is compiled. What a step gives is a structure of its outputs; a list of
 * them, in order, where it has a `forEach`. A step that `when` leaves out has no field: `steps.?tunnel`, `has(steps.tunnel)`.
 */
export class StepOutputTypes implements TypeProvider {
  readonly type: CelType;
  readonly #name: string;
  readonly #fields = new Map<string, CelType>();
  readonly #structs = new Map<string, StructType>();
  /** Ids of all steps, those not compiled yet included. */
  #ids: ReadonlySet<string> = new Set();
  /** Ids that were asked for before their step. */
  readonly early = new Set<string>();

  /** `name` as in `network.steps`: every list of steps needs one of its own. */
  constructor(name: string) {
    this.#name = name;
    this.type = object(name);
    this.#structs.set(name, {
      name,
      field: (id) => this.#field(id),
      fieldNames: () => this.#fields.keys(),
    });
  }

  structType(name: string): StructType | undefined {
    return this.#structs.get(name);
  }

  /** Says which ids there will be. */
  announce(ids: Iterable<string>): void {
    this.#ids = new Set(ids);
  }

  declare(id: string, { outputs }: Operation, isRepeated: boolean): void {
    const name = `${this.#name}.${id}`;
    const fields = new Map(Object.entries(outputs));
    this.#structs.set(name, { name, field: (field) => fields.get(field), fieldNames: () => fields.keys() });
    const one = object(name);
    this.#fields.set(id, isRepeated ? listOf(one) : one);
  }

  #field(id: string): CelType | undefined {
    const known = this.#fields.get(id);
    if (known !== undefined || !this.#ids.has(id)) return known;
    this.early.add(id);
    return { kind: 'dyn' };
  }
}
