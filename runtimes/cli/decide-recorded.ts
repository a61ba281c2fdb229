import { createHash } from 'node:crypto';
import { typesWith } from '../../engine/bundle/compile.ts';
import type {
  AdmissionDecision,
  AdmissionFacts,
  AdmissionProgram,
  AdmissionRequest,
  JsonObject,
  Operation,
} from '../../engine/rules/admission/decision.ts';
import { objectRequest } from '../../engine/rules/admission/object-request.ts';
import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import type { Diagnostic } from '../../engine/text/diagnostic.ts';
import type { DocumentPath } from '../../engine/text/document.ts';
import { type RecordedObject, readRecording } from '../host/recording.ts';
import { type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';
import { isInvocation } from './plan-recorded.ts';

/** One request to decide, and where it was recorded. */
export interface RecordedRequest {
  readonly request: AdmissionRequest;
  readonly recorded: RecordedObject;
  /** `Pod shop/web`: what people call it. */
  readonly label: string;
}

export interface RecordedRun {
  readonly requests: readonly RecordedRequest[];
  /** What {@link requests} were made of, AdmissionReviews apart. */
  readonly recorded: readonly RecordedObject[];
  /** Recorded calls of CNI plugins. */
  readonly invocations: readonly RecordedObject[];
  /** Objects that were given as facts. */
  readonly beside: readonly JsonObject[];
  readonly facts: AdmissionFacts;
  readonly diagnostics: readonly Diagnostic[];
  /** What rules asked for and nothing is recorded about, in words; grows while requests are decided. */
  readonly assumed: ReadonlySet<string>;
}

/** Reads what a dry run is about: requests from objects and AdmissionReviews, and facts from everything recorded. */
export async function readRun(args: ParsedArguments, context: CommandContext): Promise<RecordedRun> {
  if (args.all('rules').length === 0) throw new UsageError('--rules is missing: a bundle folder or rule file to decide by');
  const options = { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend };
  const read = await readRecording(args.arguments, options);
  const recording = { ...read, objects: read.objects.filter((recorded) => !isInvocation(recorded)) };
  // A pipe whose other end failed must not look as if everything were allowed.
  if (recording.isEmpty) throw new UsageError(`there is nothing to decide on: ${args.arguments.join(', ')} is empty`);
  const beside = await readRecording(args.all('facts'), options);
  const before = await readRecording(args.all('old'), options);

  const objects = recording.objects.map(({ object }) => object);
  const types = typesWith(
    [...objects, ...beside.objects.map(({ object }) => object)].filter((object) => object['kind'] === 'CustomResourceDefinition'),
  );
  const groups = args.all('group');
  const user = {
    username: args.text('user') ?? '',
    groups: groups.length > 0 ? [...groups, 'system:authenticated'] : ['system:masters', 'system:authenticated'],
  };
  const oldObjects = new Map(before.objects.map(({ object }) => [identity(object), object]));
  const operation = (args.text('operation') ?? 'CREATE') as Operation;
  const namespace = args.text('namespace') ?? 'default';

  const requests = [
    ...recording.objects.map((recorded) => {
      const request = objectRequest(recorded.object, {
        operation,
        user,
        namespace,
        types,
        uid: uidOf(recorded, operation),
        old: oldObjects.get(identity(recorded.object)),
      });
      return { request, recorded, label: labelOf(request) };
    }),
    ...recording.reviews.map((recorded) => {
      const request = recorded.object['request'] as unknown as AdmissionRequest;
      return { request, recorded, label: `${request.operation} ${labelOf(request)}` };
    }),
  ];
  const assumed = new Set<string>();
  return {
    requests,
    recorded: recording.objects,
    invocations: read.objects.filter(isInvocation),
    beside: beside.objects.map(({ object }) => object),
    // What was recorded as facts wins over the objects that are decided on.
    facts: recordedFacts([...objects, ...beside.objects.map(({ object }) => object)], { onAssumed: (what) => assumed.add(what) }),
    assumed,
    diagnostics: [...recording.diagnostics, ...beside.diagnostics, ...before.diagnostics],
  };
}

function identity(object: JsonObject): string {
  const metadata = object['metadata'] as JsonObject | undefined;
  return JSON.stringify([object['apiVersion'], object['kind'], metadata?.['namespace'] ?? '', metadata?.['name'] ?? '']);
}

/** What people call the object of a request: `Pod shop/web`. */
export function labelOf(request: AdmissionRequest): string {
  const metadata = ((request.object ?? request.oldObject)?.['metadata'] ?? {}) as JsonObject;
  const name = request.name ?? (typeof metadata['generateName'] === 'string' ? `${metadata['generateName']}*` : '(no name)');
  const where = request.namespace === undefined || request.kind.kind === 'Namespace' ? name : `${request.namespace}/${name}`;
  const what =
    request.subResource === undefined || request.subResource === '' ? request.kind.kind : `${request.kind.kind}/${request.subResource}`;
  return `${what} ${where}`;
}

/** Decides from recorded facts, which are complete: what is not recorded does not exist. */
export function decideRecorded(
  program: AdmissionProgram,
  request: AdmissionRequest,
  facts: AdmissionFacts,
  explain = false,
): AdmissionDecision {
  const answer = program.admit(request, facts, { phase: 'all', ...(explain ? { explain } : {}) });
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${JSON.stringify(answer.needs[0])} is asked for`);
  return answer.decision;
}

/** Where a recorded object's `metadata.name` stands, as a place for messages about it. */
export function placeOf({ document, path }: RecordedObject): { readonly path: DocumentPath } & Pick<Diagnostic, 'source' | 'span'> {
  const span = document.locate([...path, 'metadata', 'name']) ?? document.locate(path);
  return { path, source: document.source, ...(span === undefined ? {} : { span }) };
}

/** The same run prints the same: uids are made from what they are about. */
function uidOf({ object, document, path }: RecordedObject, operation: Operation): string {
  const hex = createHash('sha256')
    .update(`${operation} ${identity(object)} ${document.source.name} ${document.index} ${path.join(' ')}`)
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
