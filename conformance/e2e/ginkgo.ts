import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A spec of Ginkgo's JSON report. Source: github.com/onsi/ginkgo/v2/types SpecReport. */
interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  readonly Failure?: { readonly Message: string; readonly Location?: { readonly FileName: string; readonly LineNumber: number } };
  readonly RunTime: number;
}

export interface SpecResult {
  /** All texts from the outermost container to the spec, as `--ginkgo.focus` sees them. */
  readonly name: string;
  readonly passed: boolean;
  /** Message and place of a failure. */
  readonly failure?: string;
  readonly seconds: number;
}

export interface GinkgoRun {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Names of the specs that `focus` selects; runs none. */
export async function listSpecs(run: GinkgoRun, focus: string): Promise<readonly string[]> {
  return (await runGinkgo(run, ['--ginkgo.dry-run', `--ginkgo.focus=${focus}`])).map(({ name }) => name);
}

/** Runs the specs of these names. A spec that the program did not come to at the deadline is not in the answer. */
export function runSpecs(run: GinkgoRun, names: readonly string[]): Promise<readonly SpecResult[]> {
  return runGinkgo(run, [`--ginkgo.focus=(?:${names.map(escapeRegExp).join('|')})$`]);
}

async function runGinkgo(run: GinkgoRun, more: readonly string[]): Promise<readonly SpecResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ginkgo-'));
  try {
    const report = join(folder, 'report.json');
    // Ginkgo ends itself and writes its report; it is only killed when it does not.
    const seconds = Math.round(run.deadlineMs / 1000);
    const args = ['--ginkgo.no-color', '--ginkgo.succinct', `--ginkgo.timeout=${seconds}s`, `--ginkgo.json-report=${report}`];
    const output = await execute(run, [...run.arguments, ...args, ...more]);
    const [suite] = readReport(report, output);
    const specs = suite?.SpecReports ?? [];
    return specs.filter((each) => each.LeafNodeType === 'It' && each.State !== 'skipped' && each.State !== 'pending').map(resultOf);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string, output: string): readonly { readonly SpecReports: readonly SpecReport[] | null }[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { SpecReports: SpecReport[] | null }[];
  } catch {
    throw new Error(`the specs left no report:\n${output.slice(-4000)}`);
  }
}

function resultOf(report: SpecReport): SpecResult {
  const name = [...(report.ContainerHierarchyTexts ?? []), report.LeafNodeText].join(' ');
  const seconds = report.RunTime / 1e9;
  if (report.State === 'passed') return { name, passed: true, seconds };
  const { Message = '', Location } = report.Failure ?? {};
  const place = Location === undefined ? '' : ` (${Location.FileName.replace(/^.*\/(?=test\/e2e\/)/, '')}:${Location.LineNumber})`;
  return { name, passed: false, failure: `${report.State}${place}: ${Message}`, seconds };
}

function execute(run: GinkgoRun, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(run.executable, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: run.deadlineMs + 60_000,
      signal: run.signal,
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-64_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
