import { basename, dirname, join, relative, resolve } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { isSqlitePart, sqlitePartRefusal } from './sqlite-part.ts';

// A text that is written is settings or data. What somebody runs, or what says what is run, is another power: whoever writes that
// runs any command, whatever the playbook says of itself.

/** What is in them is run by a package manager, git, an editor, a scheduler, Grace. Below the directories of the component only. */
const RUN_FROM = new Set([
  '.bundle', '.cargo', '.circleci', '.config', '.devcontainer', '.git', '.githooks', '.github', '.gitlab', '.grace', '.gradle', '.husky', '.idea',
  '.mvn', '.ssh', '.venv', '.vscode', '.yarn', '__pycache__', 'bin', 'cron.d', 'gradle', 'hooks', 'node_modules', 'playbooks', 'sbin', 'site-packages',
  'systemd', 'vendor', 'venv',
]); // prettier-ignore

/** By their whole names, in lower case: what a manager, a build, a shell, a container or a scheduler takes commands or packages from. */
const RUN_NAMES = new Set([
  '.bash_profile', '.bashrc', '.condarc', '.curlrc', '.envrc', '.flaskenv', '.gemrc', '.gitattributes', '.gitconfig', '.gitlab-ci.yml',
  '.gitmodules', '.htaccess', '.node-version', '.npmrc', '.nvmrc', '.pre-commit-config.yaml', '.profile', '.python-version', '.ruby-version',
  '.tool-versions', '.travis.yml', '.user.ini', '.zshenv', '.zshrc', 'appspec.yml', 'build', 'build.sbt', 'bun.lock', 'bun.lockb', 'bunfig.toml',
  'cargo.lock', 'cargo.toml', 'cmakelists.txt', 'composer.json', 'composer.lock', 'containerfile', 'crontab', 'deno.json', 'deno.jsonc',
  'deno.lock', 'environment.yml', 'flake.lock', 'gemfile', 'gemfile.lock', 'global.json', 'gnumakefile', 'go.mod', 'go.sum', 'go.work',
  'gradle.properties', 'gradlew', 'jenkinsfile', 'jsconfig.json', 'justfile', 'lerna.json', 'makefile', 'meson.build', 'mise.toml', 'mix.lock',
  'mvnw', 'nodemon.json', 'npm-shrinkwrap.json', 'nuget.config', 'nx.json', 'package-lock.json', 'package.json', 'pdm.lock', 'php.ini', 'pip.conf',
  'pipfile', 'pipfile.lock', 'pm2.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'poetry.lock', 'pom.xml', 'procfile', 'project.clj',
  'project.json', 'pubspec.yaml', 'pyproject.toml', 'pytest.ini', 'pyvenv.cfg', 'rakefile', 'rebar.config', 'setup.cfg', 'stack.yaml',
  'supervisord.conf', 'taskfile.yaml', 'taskfile.yml', 'tox.ini', 'turbo.json', 'uv.lock', 'uwsgi.ini', 'vagrantfile', 'workspace', 'yarn.lock',
]); // prettier-ignore
const RUN_PATTERN =
  /^(?:\.env(?:\..{1,80})?|\.(?:babel|eslint|husky|lintstaged|mocha|nyc|postcss|prettier|swc|yarn)rc(?:\..{1,20})?|(?:docker-)?compose(?:\..{1,80})?\.ya?ml|(?:docker|container)file(?:\..{1,80})?|.{1,80}\.(?:docker|container)file|(?:requirements|constraints).{0,80}\.(?:txt|in)|tsconfig.{0,80}\.json|(?:grace|ecosystem)\.config\..{1,20}|.{1,200}\.(?:cabal|cron|csproj|desktop|env|mk|path|props|pth|service|sln|socket|targets|timer))$/;

/** What a runtime, a template engine, a database or a browser runs. */
const CODE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|astro|py[cwxi]?|so|node|wasm|rb|erb|rake|gemspec|ru|php\d?|phtml|phar|pl|pm|cgi|(?:ba|z|fi|k|c|tc|da)?sh|ps1|bat|cmd|lua|luac|go|rs|java|class|jar|war|ear|kts?|scala|groovy|gradle|cljs?|exs?|erl|beam|hs|ml|[ch]|cc|cpp|hpp|cs|fs|dll|exe|swift|r|jl|tcl|awk|sed|sql|prisma|ejs|hbs|pug|haml|slim|mako|jinja2?|j2|tpl|jspx?|aspx?|x?html?|svg|pkl|pickle|joblib|cmake|bzl|bazel|nix|ninja)$/i;
/** `#!`, `<?php`, a program of Linux: run, whatever it is called. */
const RUN_CONTENT = /^(?:#!|<\?php|\u007FELF)/i;

const COPY_WORD = '(?:bak|backup|bkp|old|orig|prev|previous|save|saved|snapshot|copy|last|good|last-good)[-_.]?[\\dTZ:._-]{0,30}';
/** `package.json.bak`, `api.ts~`, `db.json.1`; `package-old.json`. As in sibling-backups.ts: restore_file puts those back. */
const COPY_AFTER = new RegExp(`(?:~|[-_.]${COPY_WORD}|\\.\\d{1,17})$`, 'i');
const COPY_WITHIN = new RegExp(`[-_.](?:${COPY_WORD}|\\d{10,17})(?=\\.[a-z]{1,8}$)`, 'i');

/** Whether a text may be written there: not at all, as code with the risk of code, or as what it is. */
type Ruling = { readonly state: 'refused'; readonly reason: string } | { readonly state: 'code' } | { readonly state: 'data' };

/**
 * @param at       confined, and no link
 * @param present  what is there now, null when nothing is
 */
export async function whatIsWritten(at: string, present: Uint8Array | null, content: string, context: PrimitiveContext): Promise<Ruling> {
  const refused = (reason: string): Ruling => ({ state: 'refused', reason });
  const { component, files } = context;
  // A directory on the way may be a link to another one: both names count.
  const real = join((await files.realpath(dirname(at))) ?? dirname(at), basename(at));
  for (const path of new Set([at, real])) {
    if (isSqlitePart(path)) return refused(sqlitePartRefusal(path));
    const within = (await below(path, context)).split('/').slice(0, -1);
    const directory = within.find((name) => RUN_FROM.has(name.toLowerCase()));
    if (directory !== undefined) return refused(`${at} lies in ${directory}: what is in there is run`);
    if (isNamedBy([...component.command, ...component.migrate], path, component.cwd))
      return refused(`${at} is what ${component.name} is started with: it can be run, and is put back (restore_file), not written`);
  }
  if (component.envFiles.some((file) => resolve(component.cwd, file) === at))
    return refused(`${at} is an environment file: its variables say what is run. Use set_env_override or add_env_keys`);
  const names = namesOf(basename(at));
  if (names.some((name) => RUN_NAMES.has(name.toLowerCase()) || RUN_PATTERN.test(name.toLowerCase())))
    return refused(`${at} says what is run (commands, packages or variables): it is put back (restore_file), not written`);
  const isCode = names.some((name) => CODE.test(name)) || RUN_CONTENT.test(content);
  const wasRun = present !== null && RUN_CONTENT.test(new TextDecoder('latin1').decode(present.subarray(0, 8)));
  if (present !== null && (isCode || wasRun)) return refused(`${at} can be run: programs are put back (restore_file), not written`);
  const entry = await context.lastGood.entry(component.name, at);
  if (entry !== null && present === null && (isCode || (entry.mode & 0o111) !== 0))
    return refused(`${at} was there at the last verified boot and can be run: put it back (restore_file)`);
  return { state: isCode ? 'code' : 'data' };
}

/** The name, and those that a copy of this name would be put back as. */
function namesOf(name: string): readonly string[] {
  const names = new Set([name, name.replace(/^\./, '')]);
  for (const one of names) {
    if (names.size > 32) break;
    for (const cut of [one.replace(COPY_AFTER, ''), one.replace(COPY_WITHIN, '')]) if (cut !== '') names.add(cut);
  }
  return [...names];
}

/** `server.js`, `--config=app.conf`, `/srv/app/server`; `server` of `node server`, which is `server.js`. */
function isNamedBy(command: readonly string[], path: string, cwd: string): boolean {
  const stem = path.replace(/\.[a-z]{1,5}$/, '');
  return command.some((word) =>
    [word, word.slice(word.indexOf('=') + 1)].some((one) => one !== '' && [path, stem].includes(resolve(cwd, one))),
  );
}

/** The path from the directory of the component that it lies in; what is above is where people put the whole. */
async function below(path: string, { component, files }: PrimitiveContext): Promise<string> {
  for (const root of [...component.roots, component.cwd])
    for (const from of new Set([root, (await files.realpath(root)) ?? root])) {
      const rest = relative(from, path);
      if (rest !== '' && !rest.startsWith('..') && !rest.startsWith('/')) return rest;
    }
  return path;
}
