import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Check, CheckContext, Finding, PreflightSettings } from '../../domains/preflight/index.ts';
import { preflightSettings } from '../../domains/preflight/testing.ts';
import { component } from '../../domains/supervisor/testing.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { Clock, Files, Spawner } from '../../kernel/index.ts';

/** What the rings further out bring; tests pass the real ones. */
export interface Ports {
  readonly clock: Clock;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly lint: CheckContext['lint'];
  readonly runModule: CheckContext['runModule'];
  readonly ask: CheckContext['ask'];
  readonly askServer?: CheckContext['askServer'];
  readonly machine?: CheckContext['machine'];
  readonly imports?: CheckContext['imports'];
  /** Without it no component has a database. */
  readonly schemas?: CheckContext['schemas'];
  readonly migrations?: CheckContext['migrations'];
  readonly readOpenApi?: CheckContext['readOpenApi'];
}

/** What a test did not give, so that a check which uses it says so. */
function notGiven(what: string): never {
  return new Proxy(
    {},
    {
      get(): never {
        throw new Error(`this test has no ${what}`);
      },
    },
  ) as never;
}

/** A real folder with the files of a service; removed with the test. */
export function serviceFolder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-preflight-'));
  // others may enter, so that permissions of files count
  chmodSync(dir, 0o755);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content, { mode: 0o600 });
  }
  return dir;
}

/** Asks one check about a folder, with the environment given. */
export async function ask(
  check: Check,
  dir: string,
  ports: Ports,
  change: {
    readonly spec?: Partial<ComponentSpec>;
    readonly dependencies?: readonly ComponentSpec[];
    readonly env?: Readonly<Record<string, string>>;
    readonly settings?: Partial<PreflightSettings>;
    readonly signal?: AbortSignal;
    readonly service?: CheckContext['service'];
    readonly smokeTested?: readonly string[];
  } = {},
): Promise<readonly Finding[]> {
  const spec = component({ name: 'api', cwd: dir, command: ['node', 'server.js'], envFiles: [], env: {}, ...change.spec });
  const context: CheckContext = {
    askServer: () => Promise.reject(new Error('this test asks no server')),
    readOpenApi: () => Promise.reject(new Error('this test reads no OpenAPI document')),
    machine: notGiven('machine'),
    imports: notGiven('imports'),
    schemas: { isThere: () => Promise.resolve(false), look: () => Promise.resolve(null) },
    migrations: { isThere: () => Promise.resolve(false), look: () => Promise.resolve(null) },
    ...ports,
    projectDir: dir,
    components: [spec],
    dependencies: change.dependencies ?? [],
    settings: preflightSettings(change.settings),
    ownDirs: [join(dir, '.grace')],
    service: change.service ?? null,
    smokeTested: new Set(change.smokeTested),
    signal: change.signal ?? AbortSignal.timeout(20_000),
    environmentOf: () => Promise.resolve({ PATH: process.env['PATH'] ?? '', ...spec.env, ...change.env }),
  };
  const answer = (await check.isNeeded(context)) ? await check.run(context) : [];
  return 'findings' in answer ? answer.findings : answer;
}

/** `severity code place`, sorted: what a test compares. */
export function inShort(findings: readonly Finding[], dir: string): readonly string[] {
  return findings
    .map(({ severity, code, place }) => {
      const at = place === undefined ? '' : ` ${place.file.replace(`${dir}/`, '')}${place.line === null ? '' : `:${place.line}`}`;
      return `${severity} ${code}${at}`;
    })
    .toSorted();
}
