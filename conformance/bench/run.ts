import { readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { argumentsWithNpm } from '../npm-arguments.ts';
import { stopSignal } from '../stop-signal.ts';
import { SuiteUnavailable } from '../suite.ts';
import type { Bench, BenchRow } from './bench.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

const USAGE = `npm run bench [name…] [--json] [--list]

Prints ratio tables: ours, a peer or a ceiling measured in the same run, their ratio, and the spread of the ratio over the
rounds. Never fails on a number.
`;

interface BenchReport {
  readonly bench: string;
  readonly rows: readonly (BenchRow & { readonly ratio?: number })[];
  readonly unavailable?: string;
  readonly crashed?: string;
}

async function loadBenches(): Promise<Map<string, Bench>> {
  const benches = new Map<string, Bench>();
  for (const file of readdirSync(HERE).sort()) {
    if (!file.endsWith('.bench.ts')) continue;
    const { bench } = (await import(pathToFileURL(join(HERE, file)).href)) as { bench: Bench };
    benches.set(bench.name, bench);
  }
  return benches;
}

async function runBench(bench: Bench, signal: AbortSignal): Promise<BenchReport> {
  const rows: BenchReport['rows'][number][] = [];
  try {
    for await (const row of bench.run({ log: (line) => process.stderr.write(`${bench.name}: ${line}\n`), signal })) {
      rows.push(row.reference ? { ...row, ratio: row.ours / row.reference.value } : row);
    }
  } catch (error) {
    if (error instanceof SuiteUnavailable) return { bench: bench.name, rows, unavailable: error.message };
    return { bench: bench.name, rows, crashed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  return { bench: bench.name, rows };
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

function formatTable(report: BenchReport): string {
  const head = ['', 'ours', 'reference', '', 'unit', 'ratio', 'spread', 'better', 'goal'];
  const lines = report.rows.map((row) => [
    row.name,
    formatNumber(row.ours),
    row.reference ? formatNumber(row.reference.value) : '-',
    row.reference?.name ?? '',
    row.unit,
    row.ratio === undefined ? '-' : row.ratio.toFixed(2),
    row.spread === undefined ? '-' : `±${(row.spread * 50).toFixed(0)} %`,
    row.better,
    [row.goal, row.note].filter(Boolean).join('; '),
  ]);
  const numeric = new Set([1, 2, 5, 6]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]!.length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => (numeric.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [head, ...lines].map(format).join('\n');
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argumentsWithNpm(process.argv.slice(2), process.env, { flags: ['json', 'list'], values: [] }),
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const benches = await loadBenches();
  if (values.list) {
    for (const bench of benches.values()) process.stdout.write(`${bench.name}: ${bench.description}\n`);
    return 0;
  }
  const unknown = positionals.filter((name) => !benches.has(name));
  if (unknown.length > 0) {
    process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${[...benches.keys()].join(', ')}\n`);
    return 2;
  }
  const signal = stopSignal();
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory: totalmem(), node: process.version };
  const reports: BenchReport[] = [];
  if (!values.json) {
    const gigabytes = (machine.memory / 2 ** 30).toFixed(0);
    process.stdout.write(`${machine.cpu}, ${machine.cores} cores, ${gigabytes} GiB, Node ${machine.node}\n`);
  }
  for (const name of positionals.length > 0 ? positionals : benches.keys()) {
    if (signal.aborted) break;
    const report = await runBench(benches.get(name)!, signal);
    reports.push(report);
    if (values.json) continue;
    process.stdout.write(`\n${name}: ${benches.get(name)!.description}\n`);
    if (report.rows.length > 0) process.stdout.write(`${formatTable(report)}\n`);
    if (report.unavailable !== undefined) process.stdout.write(`${name}: skipped: ${report.unavailable}\n`);
    if (report.crashed !== undefined) process.stdout.write(`${name}: did not end: ${report.crashed}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, benches: reports }, null, 2)}\n`);
  return reports.some((report) => report.crashed !== undefined) ? 1 : 0;
}

process.exitCode = await main();
