// Prints the group of every row of a labelled log, for its scorer. See README.md, "Log templates".
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/kernel/index.ts';
import { TemplateMiner, type TemplateId } from '../src/domains/incidents/index.ts';
import { columnOf } from './csv.ts';

const HELP = `use: npm run -s bench:loghub -- FILE.csv

Sorts the texts of the column "Content" into templates, in the order of the rows, and prints one group id a row.
An id is that at the end: groups may have been merged meanwhile, never split.

  --templates   print "id<tab>rows<tab>template" for each group instead
`;

function groupsOf(texts: readonly string[], miner: TemplateMiner): readonly TemplateId[] {
  const ids = texts.map((text) => miner.add(text));
  return ids.map((id) => miner.groupOf(id));
}

function templatesOf(groups: readonly TemplateId[], miner: TemplateMiner): string {
  const rows = new Map<TemplateId, number>();
  for (const group of groups) rows.set(group, (rows.get(group) ?? 0) + 1);
  const largestFirst = [...rows].toSorted(([, a], [, b]) => b - a);
  return largestFirst.map(([group, count]) => `${group}\t${count}\t${miner.template(group)}\n`).join('');
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { templates: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const [path, ...others] = positionals;
  if (values.help) process.stdout.write(HELP);
  else if (path === undefined || others.length > 0) throw new Error('needs one FILE.csv; see --help');
  else {
    const miner = new TemplateMiner();
    const groups = groupsOf(read(path), miner);
    process.stdout.write(values.templates ? templatesOf(groups, miner) : groups.map((id) => `${id}\n`).join(''));
  }
} catch (error) {
  console.error(`bench:loghub: ${messageOf(error)}`);
  process.exitCode = 2;
}

function read(path: string): readonly string[] {
  try {
    return columnOf(readFileSync(path, 'utf8'), 'Content');
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
