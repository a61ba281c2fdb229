/** One test as JUnit's XML has it: passed unless it failed, erred or was skipped. */
export interface JunitCase {
  readonly name: string;
  /** What it belongs to: a file, a rule. */
  readonly classname: string;
  readonly failure?: { readonly message: string; readonly details: string };
  readonly skipped?: string;
}

export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

/** The report format that pipelines read: the subset of JUnit's XML that all of them understand. */
export function toJunit(suites: readonly JunitSuite[]): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites${counts(suites.flatMap(({ cases }) => cases))}>`];
  for (const suite of suites) {
    lines.push(`  <testsuite name="${escapeXml(suite.name)}"${counts(suite.cases)}>`);
    for (const { name, classname, failure, skipped } of suite.cases) {
      const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(classname)}"`;
      if (failure !== undefined) {
        lines.push(
          `${head}>`,
          `      <failure message="${escapeXml(failure.message)}">${escapeXml(failure.details)}</failure>`,
          '    </testcase>',
        );
      } else if (skipped !== undefined) lines.push(`${head}><skipped message="${escapeXml(skipped)}"/></testcase>`);
      else lines.push(`${head}/>`);
    }
    lines.push('  </testsuite>');
  }
  return `${lines.join('\n')}\n</testsuites>\n`;
}

function counts(cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter(({ skipped }) => skipped !== undefined).length;
  return ` tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
}

/** XML 1.0 has no way to write most control characters, nor lone surrogates: they become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
