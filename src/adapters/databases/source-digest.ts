import { sha256Hex } from '../../kernel/index.ts';
import { openProject, type Project } from './project-files.ts';

/** More than any project has that we know of. */
const MIGRATIONS_MAX = 2_000;
const SETTINGS_MAX = 100;
/** Where the configuration of a tool is: the project itself, and the folders that tools and people use. */
const SETTINGS_FOLDERS = ['.', 'config', '.config', 'db', 'src', 'src/db', 'src/database'] as const;
const IS_SETTING = /\.(?:[cm]?[jt]s|json|toml|prisma)$|^\.(?:sequelizerc|node-pg-migraterc)$/;

/** Of the files in a folder, without those in folders below it. */
export async function folderDigest(cwd: string, folder: string): Promise<string> {
  const project = await openProject(cwd);
  const names = (await project.list(folder)).slice(0, MIGRATIONS_MAX);
  return digestOf(
    project,
    names.map((name) => `${folder}/${name}`),
  );
}

/** Of what decides whether and how a migration tool can be run: its configuration, the packages and their versions. */
export async function settingsDigest(cwd: string): Promise<string> {
  const project = await openProject(cwd);
  const lists = await Promise.all(
    SETTINGS_FOLDERS.map(async (folder) =>
      (await project.list(folder)).filter((name) => IS_SETTING.test(name)).map((n) => `${folder}/${n}`),
    ),
  );
  return digestOf(project, lists.flat().slice(0, SETTINGS_MAX));
}

async function digestOf(project: Project, files: readonly string[]): Promise<string> {
  return sha256Hex(JSON.stringify(await Promise.all(files.map(async (file) => [file, await project.read(file)]))));
}
