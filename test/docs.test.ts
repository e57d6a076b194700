import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { REQUIRED_TABLES } from '../src/adapters/store/index.ts';
import { AUDIT_ACTIONS } from '../src/domains/audit/index.ts';
import { families } from '../src/catalog/families/index.ts';
import { nothingToUndo, type DefinedPrimitive } from '../src/primitives/define-primitive.ts';
import { primitives } from '../src/primitives/index.ts';
import { loadConfig } from '../src/runtime/config/index.ts';
import { ENVIRONMENT_NAMES } from '../src/runtime/config/environment.ts';
import { configSchema } from '../src/runtime/config/schema.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted();

/** Every Markdown file of the repository by its path. */
const documents: ReadonlyMap<string, string> = new Map(markdownBelow('.').map((path) => [path, read(path)]));

function markdownBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name) ? [] : markdownBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function documentOf(path: string): string {
  const text = documents.get(path);
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}

/** The cells of every table row whose first cell is one name in backticks. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => /^\| `[^`]+` +\|/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const unquoted = (cell: string | undefined): string => (cell ?? '').replace(/^`(.*)`$/, '$1');

/** What stands below a heading, down to the next one of the same or a higher level. */
function section(text: string, heading: string): string {
  const lines = text.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading ${heading}`);
  const level = heading.indexOf(' ');
  const end = lines.findIndex((line, i) => i > start && new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

function headings(text: string, level: number): readonly string[] {
  return [...text.matchAll(new RegExp(`^${'#'.repeat(level)} \`(\\w+)\`$`, 'gm'))].map((match) => match[1] ?? '');
}

describe('docs/reference/audit-actions.md', () => {
  it('has every action that can be written into the audit log, says when, and has no other', () => {
    const rows = rowsOf(documentOf('docs/reference/audit-actions.md')).map(([name, when]) => [unquoted(name), when]);
    expect(rows).toEqual(Object.entries(AUDIT_ACTIONS));
  });

  it('says of each what its payload holds', () => {
    expect(rowsOf(documentOf('docs/reference/audit-actions.md')).filter(([, , , payload]) => (payload ?? '') === '')).toEqual([]);
  });
});

describe('docs/reference/errors.md', () => {
  const NO_ERRORS = new Set([...ENVIRONMENT_NAMES, 'GRACE_MARK', 'GRACE_ROUTES_DIR', 'GRACE_COMPONENT']);

  it('has every error code of the source, and no other', () => {
    const codes = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/(?:^|\/)testing(?:\/|\.ts$)/.test(name))
      .flatMap((name) => [...read(`src/${name}`).matchAll(/'(GRACE_[A-Z0-9_]+)'/g)].map((match) => match[1] ?? ''))
      .filter((code) => !NO_ERRORS.has(code));
    expect(sorted(codes).length).toBeGreaterThan(20);
    expect(headings(documentOf('docs/reference/errors.md'), 3).toSorted()).toEqual(sorted(codes));
  });

  it('says of each what the message is, what it means and what to do', () => {
    const text = documentOf('docs/reference/errors.md');
    const incomplete = headings(text, 3).filter((code) => {
      const body = section(text, `### \`${code}\``);
      return !['Message', 'Means', 'Do'].every((part) => new RegExp(`^- ${part}: .+`, 'm').test(body));
    });
    expect(incomplete).toEqual([]);
  });
});

describe('docs/reference/events.md', () => {
  const events = eventTypes();

  it('has every event of the source, and no other', () => {
    expect(events.size).toBeGreaterThan(10);
    expect(headings(documentOf('docs/reference/events.md'), 3).toSorted()).toEqual(sorted(events.keys()));
  });

  it.each([...events])('has the fields of %s', (type, fields) => {
    const rows = rowsOf(section(documentOf('docs/reference/events.md'), `### \`${type}\``));
    expect(rows.map(([name]) => unquoted(name))).toEqual(fields);
  });
});

/** Each member of the union GraceEvent: its type, and its other fields in their order. */
function eventTypes(): ReadonlyMap<string, readonly string[]> {
  const file = 'src/domains/healing/events.ts';
  const { program } = parseSync(file, read(file));
  const declaration = program.body.flatMap((node) =>
    node.type === 'ExportNamedDeclaration' && node.declaration?.type === 'TSTypeAliasDeclaration' ? [node.declaration] : [],
  );
  const union = declaration.find((alias) => alias.id.name === 'GraceEvent')?.typeAnnotation;
  if (union?.type !== 'TSUnionType') throw new Error(`GraceEvent in ${file} is no union`);
  return new Map(
    union.types.map((member) => {
      if (member.type !== 'TSTypeLiteral') throw new Error(`a member of GraceEvent is a ${member.type}`);
      let type = '';
      const fields: string[] = [];
      for (const property of member.members) {
        if (property.type !== 'TSPropertySignature' || property.key.type !== 'Identifier') throw new Error(`unexpected ${property.type}`);
        const value = property.typeAnnotation?.typeAnnotation;
        if (property.key.name !== 'type') fields.push(property.key.name);
        else if (value?.type === 'TSLiteralType' && value.literal.type === 'Literal') type = String(value.literal.value);
      }
      return [type, fields];
    }),
  );
}

describe('docs/reference/config.md', () => {
  const text = documentOf('docs/reference/config.md');
  const documented = new Map(
    rowsOf(text.slice(0, text.indexOf('\n## Environment'))).map(([key, , fallback, reason]) => [unquoted(key), { fallback, reason }]),
  );

  it('has every key of the schema, and no other', () => {
    const keys = schemaKeys(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }), '').map((key) =>
      key.replace(/^components\.<name>\.(?:startup|readiness|liveness)\./, '<probe>.'),
    );
    expect(sorted(keys).length).toBeGreaterThan(80);
    expect(sorted(documented.keys())).toEqual(sorted(keys));
  });

  it('has every default with its reason', async () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const [key, { value, reason }] of await defaults()) {
      const row = documented.get(key);
      if (key === 'healing.ampApiKey' || row === undefined) continue; // a secret has no key in the file
      compared++;
      const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
      const shown = isEmpty ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
      const isWorkedOut = row.fallback === 'from the project' || row.fallback === 'the only possible one' || key.endsWith('.log');
      if (!isWorkedOut && unquoted(row.fallback) !== shown) wrong.push(`${key}: ${shown}`);
      if (!(row.reason ?? '').startsWith(reason ?? '')) wrong.push(`${key}: ${reason}`);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(50);
  });

  it('has every environment variable, and no other', () => {
    expect(sorted(rowsOf(section(text, '## Environment')).map(([name]) => unquoted(name)))).toEqual(sorted(ENVIRONMENT_NAMES));
  });

  it('and the README name every environment variable', () => {
    const named = sorted(
      [...section(documentOf('README.md'), '## Settings in the environment').matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map((m) => m[1] ?? ''),
    );
    expect(named).toEqual(sorted(ENVIRONMENT_NAMES));
  });
});

interface JsonSchema {
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
}

/** `components.<name>.port`, `smoke[].name`: every key a person can write, objects that hold keys included. */
function schemaKeys(schema: unknown, path: string): readonly string[] {
  const { anyOf = [], properties = {}, additionalProperties, items } = schema as JsonSchema;
  const below = Object.entries(properties).flatMap(([name, value]) => {
    const key = path === '' ? name : `${path}.${name}`;
    return [key, ...schemaKeys(value, key)];
  });
  const named = typeof additionalProperties === 'object' ? schemaKeys(additionalProperties, `${path}.<name>`) : [];
  return [
    ...below,
    ...named,
    ...(items === undefined ? [] : schemaKeys(items, `${path}[]`)),
    ...anyOf.flatMap((one) => schemaKeys(one, path)),
  ];
}

/** What Grace takes when nobody says anything, by the key it would be said with. */
async function defaults(): Promise<ReadonlyMap<string, { readonly value: unknown; readonly reason: string | null }>> {
  const found = new Map<string, { value: unknown; reason: string | null }>();
  for (const settings of [
    { components: { one: { command: 'node x.js' } }, smoke: [{ name: 'check', command: 'true' }] },
    { dependencies: { one: { status: 'true' } } },
  ]) {
    const config = await inFolder({ 'grace.config.json': JSON.stringify(settings) }, (directory) =>
      loadConfig({ directory, environment: {} }),
    );
    for (const [path, { source, value, reason }] of config.provenance)
      if (source === 'default')
        found.set(path.replace(/^(components|dependencies)\.one\./, '$1.<name>.').replace('[0]', '[]'), { value, reason });
  }
  return found;
}

async function inFolder<T>(files: Readonly<Record<string, string>>, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'grace-docs-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('tables of what there is', () => {
  it('has every primitive as it describes itself: `npx vitest run test/docs.test.ts -u` writes the page', async () => {
    const text = [PRIMITIVES_INTRODUCTION, ...[...primitives.values()].map(primitiveReference)].join('\n');
    await expect(text).toMatchFileSnapshot('../docs/reference/primitives.md');
  });

  it('has every family, with its title and whether it is guarded', () => {
    const rows = rowsOf(section(documentOf('docs/guide/healing.md'), '## What Grace knows'));
    expect(rows.map(([name, title, guarded]) => [unquoted(name), title, guarded])).toEqual(
      families.map((family) => [family.name, family.title, family.guard === null ? 'no' : 'yes']),
    );
  });

  it('has every domain in the order of the architecture, and every table of the store', () => {
    const text = documentOf('ARCHITECTURE.md');
    const domains = [...section(text, '## Domains').matchAll(/^\d+\. `(\w+)`/gm)].map((match) => match[1] ?? '');
    expect(domains.toSorted()).toEqual(readdirSync(join(ROOT, 'src/domains')).toSorted());
    const tested = /const DOMAINS = \[([^\]]+)\]/.exec(read('test/architecture.test.ts'))?.[1] ?? '';
    expect(domains).toEqual([...tested.matchAll(/'(\w+)'/g)].map((match) => match[1]));
    expect(sorted(rowsOf(section(text, '## The store')).map(([name]) => unquoted(name)))).toEqual(sorted(REQUIRED_TABLES));
  });

  it('has every file that ARCHITECTURE.md names', () => {
    const named = [...documentOf('ARCHITECTURE.md').matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(15);
    const places = ['', 'src', 'src/domains'];
    expect(named.filter((path) => !places.some((place) => isThere(join(ROOT, place, path))))).toEqual([]);
  });
});

const PRIMITIVES_INTRODUCTION = `# Primitives

The powers that a step of a [playbook](../guide/playbooks.md) may use. This page is made of what each of them says about itself.
_Risk_ is the least that any use of one has. What has no undo is never \`tier_1\`.
In the mode \`read_only\` only what changes nothing, or processes alone, is run.
`;

const CHANGES = { nothing: 'nothing', processes: 'processes alone', anything: 'files, data or settings' } as const;

function primitiveReference(p: DefinedPrimitive): string {
  const undo = p.undo === null ? `none: ${p.irreversible}` : p.undo === nothingToUndo ? 'nothing to undo: it changes nothing' : 'yes';
  const parameters = Object.entries(p.parameters).map(
    ([name, { about, shape, isOptional }]) => `- \`${name}\`${isOptional ? ', optional' : ''}: ${about} (${shape})`,
  );
  return [
    `## \`${p.name}\``,
    '',
    p.description,
    '',
    `- Risk: ${p.risk}`,
    `- Changes: ${CHANGES[p.changes ?? 'anything']}`,
    `- Undo: ${undo}`,
    `- Acts on: ${p.confinement}`,
    ...(parameters.length === 0 ? [] : ['', 'Parameters:', '', ...parameters]),
    '',
  ].join('\n');
}

function parametersOf(primitive: string): readonly string[] {
  return Object.keys(primitives.get(primitive)?.parameters ?? {});
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

describe('commands', () => {
  it.each(['README.md', 'CONTRIBUTING.md', 'docs/guide/first-steps.md'])('%s names only npm scripts that exist', (path) => {
    const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
    const named = [...documentOf(path).matchAll(/\bnpm (?:(?:run|exec) )?(?:-s )?([a-z][\w:-]*)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !['ci', 'install', 'run'].includes(name) && !isInExample(path, name));
    expect(named.length).toBeGreaterThan(0);
    expect(sorted(named).filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('are those that grace has', () => {
    const entry = join(ROOT, 'src/apps/cli/main.ts');
    const help = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', `(await import(${JSON.stringify(entry)})).main(['--help'])`],
      {
        encoding: 'utf8',
        env: { ...process.env, COLUMNS: '200' },
      },
    );
    const known = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? '');
    expect(known).toContain('up');
    const unknown = [...documents].flatMap(([path, text]) =>
      codeOf(withoutSection(text, '## Not there yet'))
        .flatMap((code) => [...code.matchAll(/(?:^|[\s;&(])grace ([a-z]+)\b/g)].map((match) => match[1] ?? ''))
        .filter((name) => !known.includes(name))
        .map((name) => `${path}: grace ${name}`),
    );
    expect(unknown).toEqual([]);
    const listed = [...section(documentOf('README.md'), '## Commands').matchAll(/`grace ([a-z]+)/g)].map((match) => match[1] ?? '');
    expect(sorted([...listed, 'help'])).toEqual(sorted([...known, 'help']));
  });
});

/** A script of the reader's service, inside an example of a config. */
function isInExample(path: string, script: string): boolean {
  return blocksOf(documentOf(path), 'ts').some((code) => code.includes(`npm run ${script}`));
}

function withoutSection(text: string, heading: string): string {
  return text.includes(`\n${heading}\n`) ? text.replace(section(text, heading), '') : text;
}

/** What is written as code: spans, fenced blocks (of programs' output only the spans) and indented lines. */
function codeOf(text: string): readonly string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  return [
    ...[...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? ''),
    ...prose.split('\n').filter((line) => /^(?: {4}| {8})\S/.test(line)),
    ...blocksOf(text, 'ts'),
  ];
}

function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => match[1] ?? '');
}

describe('examples', () => {
  const blocks = [...documents].flatMap(([path, text]) => blocksOf(text, 'ts').map((code) => ({ path, code })));
  const configs = blocks.filter(({ code }) => code.includes('components:'));
  const playbooks = blocks.filter(({ code }) => code.includes('definePlaybook({\n'));
  // Run by library-examples.test.ts.
  const library = blocks.filter(({ path }) => path === 'docs/guide/library.md');

  it('are configs, playbooks, or calls of the library', () => {
    expect(blocks.length).toBe(configs.length + playbooks.length + library.length);
    expect(configs.length).toBeGreaterThan(3);
    expect(playbooks.length).toBeGreaterThan(1);
  });

  it.each(configs)('of a config in $path is valid: $code', async ({ code }) => {
    const config = await inFolder({ 'grace.config.mjs': withoutTypes(code) }, (directory) => loadConfig({ directory, environment: {} }));
    expect(config.components.length).toBeGreaterThan(0);
  });

  it.each(playbooks)('of a playbook in $path uses primitives as they are: $code', ({ code }) => {
    const steps = [...code.matchAll(/ctx\.step\('[^']+', '(\w+)', \{([^}]*)\}\)/g)];
    expect(steps.length).toBe(code.split('ctx.step(').length - 1);
    for (const [, primitive = '', given = ''] of steps) {
      const names = [...given.matchAll(/(\w+):/g)].map((match) => match[1] ?? '');
      expect(primitives.has(primitive)).toBe(true);
      expect(parametersOf(primitive)).toEqual(expect.arrayContaining(names));
    }
    expect(code).toMatch(/^ {2}name: '[a-z][a-z0-9_]*',$/m);
    const family = /family: '(\w+)'/.exec(code)?.[1];
    expect(families.map((f) => f.name)).toContain(family);
  });
});

/** The examples have two things of TypeScript: a type import, and `satisfies`. */
function withoutTypes(code: string): string {
  return code.replace(/^import type .*$/gm, '').replace(/ satisfies \w+;/g, ';');
}

describe('links', () => {
  const links = [...documents].flatMap(([path, text]) =>
    [...text.replace(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => ({
      path,
      target: match[1] ?? '',
    })),
  );

  it('are there', () => expect(links.length).toBeGreaterThan(40));

  it('lead to files and headings that exist', () => {
    const broken = links
      .filter(({ target }) => !/^https?:/.test(target))
      .filter(({ path, target }) => {
        const [file = '', anchor] = target.split('#');
        const to = file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), file));
        if (!isThere(join(ROOT, to))) return true;
        return anchor !== undefined && !anchorsOf(read(to)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('lead from the README to every document', () => {
    const seen = new Set<string>();
    const queue = ['README.md'];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      for (const link of links.filter((l) => l.path === path && !/^https?:/.test(l.target))) {
        const to = relative(ROOT, resolve(ROOT, dirname(path), link.target.split('#')[0] ?? ''));
        if (documents.has(to)) queue.push(to);
      }
    }
    expect([...documents.keys()].filter((path) => !seen.has(path) && !path.startsWith('bench/') && !path.startsWith('test/'))).toEqual([]);
  });
});

/** As GitHub makes them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

it('the repository speaks of itself alone', () => {
  const strange = [...documents]
    .filter(([, text]) => /\/work\/|\/tmp\/|shared\/|127\.0\.0\.1:4\d{3}\/npm/.test(text))
    .map(([path]) => path);
  expect(strange).toEqual([]);
});
