import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, type ListVerdict, readKnownFailures } from './known-failures.ts';
import { argumentsWithNpm } from './npm-arguments.ts';
import { stopSignal } from './stop-signal.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from './suite.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const SHOWN_FAILURES = 20;

const USAGE = `npm run conformance [suite…] [--json] [--corpus DIR] [--filter TEXT] [--all] [--list]

Runs the comparisons with what this project did not write; when none is named all suites but those that take too long. Ends with one line per suite.
Exit code 1 when a failure is not on the suite's known-failures.txt, or when that list names something that passes.

  --json         one JSON document on standard output instead of text
  --corpus DIR   another folder of the same layout as the suite's corpus (name one suite)
  --filter TEXT  only cases whose name contains TEXT
  --all          every case that failed or was skipped, the known ones too
  --list         names and descriptions of the suites
`;

interface SuiteReport extends ListVerdict {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the suite did not run or did not end. */
  readonly unavailable?: string;
  readonly crashed?: string;
  readonly milliseconds: number;
  /** Failures (with reasons) and skips. */
  readonly cases: readonly CaseResult[];
}

/** Names of the folders that hold a suite. */
function suiteNames(): string[] {
  const folders = readdirSync(HERE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .map(({ name }) => name)
    .filter((name) => existsSync(join(HERE, name, 'suite.ts')))
    .sort();
}

async function loadSuite(name: string): Promise<Suite> {
  const file = join(HERE, name, 'suite.ts');
  const { suite } = (await import(pathToFileURL(file).href)) as { suite: Suite };
  if (suite.name !== name) throw new Error(`${file}: the suite is called ${suite.name}, its folder ${name}`);
  return suite;
}

async function withoutLongOnes(names: readonly string[]): Promise<string[]> {
  const chosen: string[] = [];
  for (const name of names) {
    // One that does not load is run, and says so.
    const suite = await loadSuite(name).catch(() => undefined);
    if (!suite?.onlyWhenNamed) chosen.push(name);
  }
  return chosen;
}

function corpusFolder(name: string, given: string | undefined): string {
  const candidates = given
    ? [resolve(given)]
    : [process.env['FAIRLEAD_CORPORA'] ?? join(HERE, '..', '..', 'shared', 'corpora')].map((root) => join(root, name));
  const found = candidates.find((folder) => existsSync(folder));
  if (found) return found;
  throw new SuiteUnavailable(`no corpus at ${candidates.join(' or ')}; name one with --corpus DIR or FAIRLEAD_CORPORA`);
}

interface RunOptions {
  readonly corpus?: string | undefined;
  readonly filter?: string | undefined;
  readonly signal: AbortSignal;
}

async function runSuite(name: string, options: RunOptions): Promise<SuiteReport> {
  const started = performance.now();
  const wanted = (each: string): boolean => options.filter === undefined || each.includes(options.filter);
  let leftOut = false;
  const context: SuiteContext = {
    corpus: (corpus) => corpusFolder(corpus, options.corpus),
    wanted,
    incomplete(why) {
      leftOut = true;
      process.stderr.write(`${name}: ${why}\n`);
    },
    log: (line) => process.stderr.write(`${name}: ${line}\n`),
    signal: options.signal,
  };
  const outcomes = new Map<string, CaseResult['outcome']>();
  const cases: CaseResult[] = [];
  let unavailable: string | undefined;
  let crashed: string | undefined;
  try {
    const suite = await loadSuite(name);
    for await (const result of suite.run(context)) {
      if (!wanted(result.name)) continue;
      if (outcomes.has(result.name)) throw new Error(`two cases are called ${JSON.stringify(result.name)}`);
      outcomes.set(result.name, result.outcome);
      if (result.outcome !== 'passed') cases.push(result);
    }
  } catch (error) {
    if (error instanceof SuiteUnavailable) unavailable = error.message;
    else crashed = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  if (options.signal.aborted) crashed ??= 'interrupted';
  const complete =
    !leftOut && unavailable === undefined && crashed === undefined && options.filter === undefined && options.corpus === undefined;
  const count = (wantedOutcome: CaseResult['outcome']): number => [...outcomes.values()].filter((each) => each === wantedOutcome).length;
  return {
    suite: name,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped') + (unavailable === undefined ? 0 : 1),
    ...(unavailable === undefined ? {} : { unavailable }),
    ...(crashed === undefined ? {} : { crashed }),
    ...judge(outcomes, readKnownFailures(join(HERE, name, 'known-failures.txt')), complete),
    milliseconds: Math.round(performance.now() - started),
    cases,
  };
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}

function printDetails(report: SuiteReport, all: boolean): void {
  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  if (report.unavailable !== undefined) return void say(`${report.suite}: skipped: ${report.unavailable}`);
  const unexpected = new Set(report.unexpected);
  const shown = report.cases.filter((each) => all || unexpected.has(each.name));
  for (const each of all ? shown : shown.slice(0, SHOWN_FAILURES)) {
    say(`  ${each.outcome}: ${each.name}${each.outcome === 'failed' && !unexpected.has(each.name) ? ' (known)' : ''}`);
    if (each.reason) say(indent(each.reason));
  }
  if (!all && shown.length > SHOWN_FAILURES) say(`  … and ${shown.length - SHOWN_FAILURES} more failures (--all shows all)`);
  for (const name of report.fixed) say(`  passes, but is on known-failures.txt: ${name}`);
  for (const name of report.stale) say(`  on known-failures.txt, but no case is called so: ${name}`);
  if (report.crashed !== undefined) say(`  the suite did not end: ${report.crashed}`);
}

function isGood(report: SuiteReport): boolean {
  return report.crashed === undefined && report.unexpected.length + report.fixed.length + report.stale.length === 0;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argumentsWithNpm(process.argv.slice(2), process.env, { flags: ['json', 'all', 'list'], values: ['corpus', 'filter'] }),
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      corpus: { type: 'string' },
      filter: { type: 'string' },
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const suites = suiteNames();
  if (values.list) {
    for (const name of suites) {
      const { description } = await loadSuite(name).catch((error: Error) => ({ description: `does not load: ${error.message}` }));
      process.stdout.write(`${name}: ${description}\n`);
    }
    return 0;
  }
  const unknown = positionals.filter((name) => !suites.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no suite called ${unknown.join(', ')}; there are: ${suites.join(', ')}\n`);
    return 2;
  }
  if (values.corpus !== undefined && positionals.length !== 1) {
    process.stderr.write('--corpus needs the name of one suite\n');
    return 2;
  }
  const signal = stopSignal();
  const reports: SuiteReport[] = [];
  for (const name of positionals.length > 0 ? positionals : await withoutLongOnes(suites)) {
    if (signal.aborted) break;
    const report = await runSuite(name, { corpus: values.corpus, filter: values.filter, signal });
    reports.push(report);
    if (!values.json) printDetails(report, values.all);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ suites: reports }, null, 2)}\n`);
  else
    for (const report of reports) {
      process.stdout.write(`${report.suite}: ${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped\n`);
    }
  return reports.every(isGood) && !signal.aborted ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
