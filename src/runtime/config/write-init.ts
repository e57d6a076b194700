import { pathWithin, type ComponentDetection, type DetectedProject } from './detect.ts';
import type { Found } from './detect-command.ts';

/**
 * The text of a grace.config.ts that says what was worked out about a project, and from what.
 * What could not be worked out is left to the defaults rather than written as a guess.
 */
export function renderConfigFile(project: DetectedProject): string {
  const lines = [
    "import type { GraceConfigFile } from 'grace-runtime';",
    '',
    '/** How Grace runs this service: grace up. The folder of this file is the working directory. */',
    'export default {',
  ];
  lines.push(...setting(1, 'name', project.name));
  lines.push('  components: {');
  if (project.components.size === 0) lines.push("    // what to run, such as: api: { command: 'node server.js' },");
  for (const [name, component] of project.components) lines.push(...renderComponent(name, component, project.dir));
  lines.push('  },', '} satisfies GraceConfigFile;', '');
  return lines.join('\n');
}

function renderComponent(name: string, component: ComponentDetection, dir: string): readonly string[] {
  const lines = [`    ${key(name)}: {`];
  if (component.command) lines.push(...setting(3, 'command', component.command));
  if (component.envFiles) {
    const files = component.envFiles.value.map((file) => pathWithin(dir, file));
    lines.push(...setting(3, 'envFile', { value: files.length === 1 ? files[0] : files, reason: component.envFiles.reason }));
  }
  if (component.loadEnvFile) lines.push(...setting(3, 'loadEnvFile', component.loadEnvFile));
  if (component.port) lines.push(...setting(3, 'port', component.port));
  if (component.migrate) lines.push(...setting(3, 'migrate', component.migrate));
  if (component.database) lines.push(...setting(3, 'database', component.database));
  // a probe cannot be seen from outside, and it is what helps most: so the place for it is shown
  if (component.port) lines.push("      // readiness: { http: '/ready' },", "      // liveness: { http: '/health' },");
  lines.push('    },');
  return lines;
}

function setting(depth: number, name: string, found: Found<unknown>): readonly string[] {
  const indent = '  '.repeat(depth);
  return [`${indent}// ${oneLine(found.reason)}`, `${indent}${name}: ${literal(found.value)},`];
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'string') return JSON.stringify(value);
  // JSON's escapes are JavaScript's; only the quotes differ
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** Reasons quote file names and arguments, which may hold anything. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it removes
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').slice(0, 160);
}
