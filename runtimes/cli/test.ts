import { type Diagnostic, isError } from '../../engine/text/diagnostic.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPath } from '../../engine/text/document.ts';
import { formatPlace } from '../../engine/text/render.ts';
import { findTests } from '../host/test-files.ts';
import { type CommandRun, EXIT, UsageError } from './command.ts';
import type { Paint } from './context.ts';
import { runKyvernoFile } from './kyverno-tests.ts';
import { paintFor, plural, renderDiagnostics, toJson, toRecords } from './report.ts';
import { runRuleTests } from './rule-tests.ts';
import type { TestCase, TestSuite } from './test-suite.ts';

/** `fairlead test`: runs what tests expect of rules. */
export const runTest: CommandRun = async (args, context) => {
  const format = args.text('output');
  const only = args.text('only');
  const suites: TestSuite[] = [];
  for (const path of args.arguments) {
    const { ruleTests, kyvernoTests } = findTests(path, context.cwd);
    for (const { bundle, files } of ruleTests) suites.push(...(await runRuleTests(bundle, files, context)));
    for (const file of kyvernoTests) suites.push(...(await runKyvernoFile(file, context.cwd)));
  }
  if (suites.length === 0)
    throw new UsageError(
      `no tests in ${args.arguments.join(', ')}`,
      'tests are RuleTest documents in the tests/ folder of a bundle, and kyverno-test.yaml files',
    );
  const selected = suites.map((suite) => ({
    ...suite,
    cases: suite.cases.filter(({ name }) => only === undefined || name.includes(only)),
  }));
  const cases = selected.flatMap((suite) => suite.cases);
  if (cases.length === 0 && only !== undefined) throw new UsageError(`no case has ${JSON.stringify(only)} in its name`);
  const diagnostics = distinct(selected.flatMap((suite) => suite.diagnostics));
  const failed = cases.filter(({ ok }) => !ok).length;
  const bad = failed > 0 || diagnostics.some(isError);

  if (format === 'json') {
    const results = selected.map(({ name, document, cases: own }) => ({
      name,
      file: document.source.name,
      cases: own.map((each) => ({ name: each.name, ok: each.ok, problems: each.problems, path: formatPath(each.path) })),
    }));
    context.out.write(toJson({ ok: !bad, passed: cases.length - failed, failed, suites: results, diagnostics: toRecords(diagnostics) }));
  } else if (format === 'junit') {
    const { toJunit } = await import('./junit.ts');
    context.out.write(
      toJunit(
        selected.map((suite) => ({
          name: suite.name || suite.document.source.name,
          cases: suite.cases.map((each) => junitCase(suite, each)),
        })),
      ),
    );
    if (diagnostics.length > 0) context.err.write(renderDiagnostics(diagnostics, paintFor(args, context, context.err)));
  } else {
    const color = paintFor(args, context);
    let text = renderDiagnostics(diagnostics, color);
    for (const suite of selected) text += describeSuite(suite, args.on('verbose'), color);
    const verdict =
      failed === 0 ? color('green', `${cases.length} passed`) : `${color('red', `${failed} failed`)}, ${cases.length - failed} passed`;
    context.out.write(`${text}${plural(cases.length, 'case')}: ${verdict}\n`);
  }
  return bad ? EXIT.findings : EXIT.ok;
};

/** Suites of one bundle repeat what is wrong with the bundle. */
function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    seen.set(JSON.stringify([diagnostic.code, diagnostic.message, diagnostic.source?.name, diagnostic.span, diagnostic.path]), diagnostic);
  }
  return [...seen.values()];
}

function describeSuite({ name, document, cases, diagnostics }: TestSuite, verbose: boolean, color: Paint): string {
  const failures = cases.filter(({ ok }) => !ok);
  // A test that cannot be read has no cases, and is not well for that.
  const sign = failures.length === 0 && !diagnostics.some(isError) ? color('green', 'ok') : color('red', 'failed');
  const label = name === '' ? document.source.name : `${name} (${document.source.name})`;
  let text = `${sign} ${visible(label)}, ${plural(cases.length, 'case')}\n`;
  for (const each of verbose ? cases : failures) {
    if (each.ok) text += `  ${color('green', 'passed')} ${visible(each.name)}\n`;
    else {
      const span = document.locate(each.path);
      const place = span === undefined ? '' : color('faint', ` (${formatPlace(document.source, span)})`);
      text += `  ${color('red', 'failed')} ${color('bold', visible(each.name))}${place}\n`;
      for (const problem of each.problems) text += `    ${visible(problem).replaceAll('\n', '\n    ')}\n`;
    }
  }
  return text;
}

function junitCase({ document }: TestSuite, { name, ok, problems }: TestCase) {
  const base = { name, classname: document.source.name };
  return ok ? base : { ...base, failure: { message: problems[0] ?? 'failed', details: problems.join('\n') } };
}
