import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig, type ConfigRequest } from './load-config.ts';
import { ConfigInvalid, type Mistake } from './mistakes.ts';
import type { GraceConfig } from './grace-config.ts';

/** A folder with some files, for tests of the configuration; removed when it is disposed of. */
export class ConfigProject implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'grace-config-'));

  constructor(files: Readonly<Record<string, unknown>> = {}) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  /** Text as it is, anything else as JSON. */
  write(name: string, content: unknown): void {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content, null, 2));
  }

  load(request: Partial<ConfigRequest> = {}): Promise<GraceConfig> {
    return loadConfig({ directory: this.dir, environment: {}, ...request });
  }

  async mistakes(request: Partial<ConfigRequest> = {}): Promise<readonly Mistake[]> {
    try {
      await this.load(request);
      return [];
    } catch (error) {
      if (error instanceof ConfigInvalid) return error.mistakes;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Each mistake as `path: problem; suggestion (location)`, the way a person reads it. */
export function mistakeLines(mistakes: readonly Mistake[]): readonly string[] {
  return mistakes.map(
    ({ path, problem, suggestion, location }) =>
      `${path}: ${problem}${suggestion === null ? '' : `; ${suggestion}`}${location === null ? '' : ` (${location})`}`,
  );
}
