import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Files that describe a project are small; a larger one is something else. */
const TEXT_BYTES_MAX = 1024 * 1024;

export interface PackageJson {
  readonly name: string | null;
  readonly scripts: Readonly<Record<string, string>>;
  readonly packageManager: string | null;
}

/** A look at a project's files, each read at most once. What cannot be read is not there. */
export class ProjectFolder {
  readonly dir: string;
  private readonly texts = new Map<string, string | null>();

  constructor(dir: string) {
    this.dir = dir;
  }

  has(name: string): boolean {
    try {
      return statSync(join(this.dir, name), { throwIfNoEntry: false }) !== undefined;
    } catch {
      return false; // no permission to look: then it is of no use either
    }
  }

  firstOf(names: readonly string[]): string | null {
    return names.find((name) => this.has(name)) ?? null;
  }

  text(name: string): string | null {
    const known = this.texts.get(name);
    if (known !== undefined) return known;
    const text = readSmall(join(this.dir, name));
    this.texts.set(name, text);
    return text;
  }

  packageJson(): PackageJson | null {
    const text = this.text('package.json');
    if (text === null) return null;
    try {
      const data: unknown = JSON.parse(text);
      if (typeof data !== 'object' || data === null) return null;
      const { name, scripts, packageManager } = data as Record<string, unknown>;
      return {
        name: typeof name === 'string' ? name : null,
        scripts: Object.fromEntries(
          Object.entries(typeof scripts === 'object' && scripts !== null ? scripts : {}).filter(
            (entry): entry is [string, string] => typeof entry[1] === 'string',
          ),
        ),
        packageManager: typeof packageManager === 'string' ? packageManager : null,
      };
    } catch {
      return null; // broken JSON is for the pre-flight checks to report, with its place
    }
  }

  /** The variables of an env file; empty when there is none. */
  variables(name: string): Readonly<Record<string, string | undefined>> {
    const text = this.text(name);
    return text === null ? {} : parseEnv(text);
  }
}

function readSmall(path: string): string | null {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= TEXT_BYTES_MAX ? readFileSync(path, 'utf8') : null;
  } catch {
    return null; // absent or unreadable
  }
}
