import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { takeSnapshot, type DatabaseLocation } from '../../src/adapters/databases/index.ts';
import type { TestServer } from '../../src/adapters/databases/testing/postgres-server.ts';
import { nodeSpawner } from '../../src/adapters/node/spawner.ts';
import type { ProjectCase } from './project-cases.ts';

const PATH = `${join(import.meta.dirname, '../../node_modules/node/bin')}:${process.env['PATH']}`;
const PROJECTS = join(import.meta.dirname, 'projects');

/** A copy of a project with its packages and a database of its own. */
export interface LiveProject {
  readonly cwd: string;
  readonly live: DatabaseLocation;
  /** An empty one beside it. */
  readonly scratch: DatabaseLocation;
  /** What the service of the project is started with. */
  readonly env: Record<string, string>;
  run(sql: string): Promise<void>;
  /** Applies its migrations as a person would. */
  deploy(): Promise<void>;
  /** Brings the migration of the next release. */
  release(): void;
  /** Everything of the live database that could have been changed. */
  imprint(): Promise<string>;
  remove(): void;
}

export interface LiveProjects {
  /** With an empty database. */
  open(project: ProjectCase): Promise<LiveProject>;
  /** With a database to which the tool has applied the migrations. */
  openDeployed(project: ProjectCase): Promise<LiveProject>;
}

/** @param packages  the `node_modules` of all projects */
export function liveProjects(packages: string, server: TestServer): LiveProjects {
  let counter = 0;
  /** Made once by the tool of each project: bytes of a SQLite file, or the name of a database. */
  const deployed = new Map<string, string>();

  async function open(project: ProjectCase): Promise<LiveProject> {
    const { folder, engine } = project;
    const cwd = mkdtempSync(join(tmpdir(), 'grace-orm-'));
    cpSync(join(PROJECTS, folder), cwd, { recursive: true, filter: (path) => !path.endsWith('/later') });
    symlinkSync(packages, join(cwd, 'node_modules'));
    if (engine === 'sqlite') {
      const live = { engine, path: join(cwd, 'live.db') } as const;
      const scratch = { engine, path: join(mkdtempSync(join(cwd, 'data-')), 'scratch.db') } as const;
      return opened(project, { cwd, live, scratch, env: { PATH, DATABASE_URL: `file:${live.path}`, DATABASE_FILE: live.path } });
    }
    counter += 1;
    const [liveName, scratchName] = [`live_${counter}`, `scratch_${counter}`];
    for (const name of [liveName, scratchName]) await server.query('postgres', `CREATE DATABASE ${name}`);
    const live = { engine, url: server.url(liveName) } as const;
    const parts = { DB_HOST: '127.0.0.1', DB_PORT: String(server.port), DB_USER: 'admin', DB_PASSWORD: server.password, DB_NAME: liveName };
    return opened(project, {
      cwd,
      live,
      scratch: { engine, url: server.url(scratchName) },
      env: { PATH, DATABASE_URL: live.url, ...parts },
    });
  }

  function opened(project: ProjectCase, at: Pick<LiveProject, 'cwd' | 'live' | 'scratch' | 'env'>): LiveProject {
    const { cwd, live, env } = at;
    return {
      ...at,
      async run(sql) {
        if (live.engine === 'postgres') return void (await server.query(nameOf(live.url), sql));
        const database = new DatabaseSync(live.path);
        database.exec(sql);
        database.close();
      },
      async deploy() {
        const [program, ...words] = project.deploy;
        const nothing = join(cwd, 'package.json'); // see `toolSettings`: Prisma wants its engines to be there
        const engines = { PRISMA_QUERY_ENGINE_LIBRARY: nothing, PRISMA_SCHEMA_ENGINE_BINARY: nothing, CHECKPOINT_DISABLE: '1' };
        const argv = [`node_modules/.bin/${program}`, ...words];
        const result = await nodeSpawner.run(argv, { cwd, env: { ...env, HOME: cwd, ...engines }, timeoutMs: 60_000 });
        expect(result, result.stderr + result.stdout).toMatchObject({ exitCode: 0 });
      },
      release: () => cpSync(join(PROJECTS, project.folder, 'later'), cwd, { recursive: true }),
      async imprint() {
        if (live.engine === 'sqlite') return createHash('sha256').update(readFileSync(live.path)).digest('hex');
        const { digest } = await takeSnapshot(live);
        const rows = await server.query(nameOf(live.url), 'SELECT id, email, xmin::text FROM users ORDER BY id');
        const [stamp] = await server.query(
          nameOf(live.url),
          `SELECT count(*) AS relations, max(xmin::text::bigint) AS newest FROM pg_class`,
        );
        return JSON.stringify([digest, rows, stamp]);
      },
      remove: () => rmSync(cwd, { recursive: true, force: true }),
    };
  }

  async function openDeployed(project: ProjectCase): Promise<LiveProject> {
    const one = await open(project);
    const { live } = one;
    const ready = deployed.get(project.folder);
    if (live.engine === 'sqlite') {
      if (ready !== undefined) writeFileSync(live.path, Buffer.from(ready, 'base64'));
      else {
        await one.deploy();
        deployed.set(project.folder, readFileSync(live.path).toString('base64'));
      }
    } else if (ready === undefined) {
      await one.deploy();
      const name = `made_${nameOf(live.url)}`;
      await server.query('postgres', `CREATE DATABASE ${name} TEMPLATE ${nameOf(live.url)}`);
      deployed.set(project.folder, name);
    } else {
      await server.query('postgres', `DROP DATABASE ${nameOf(live.url)}`);
      await server.query('postgres', `CREATE DATABASE ${nameOf(live.url)} TEMPLATE ${ready}`);
    }
    return one;
  }

  return { open, openDeployed };
}

export function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}
