import { join } from 'node:path';
import { sha256Hex, type Files } from '../../kernel/index.ts';
import type { PlaybookLibrary } from '../../domains/healing/index.ts';
import { PlaybookInvalid, type LoadedPlaybook } from '../../domains/playbooks/index.ts';
import type { PlaybookSurroundings } from './playbook-runner.ts';

const FILE = /^[a-z][a-z0-9_]*\.(?:ts|mjs)$/;
/** A hundred times what Grace writes. */
const SOURCE_BYTES_MAX = 256 * 1024;
/** Playbooks that are remembered as they were read; the oldest goes. */
const LOADED_MAX = 64;

/**
 * The playbooks beside the config: TypeScript, or JavaScript, whose code never runs in this process. `grace-runtime` is there for it whether or
 * not the service has installed it. What starts processes is loaded with the first playbook that is.
 */
export function playbookLibrary(dir: string, files: Files, around: PlaybookSurroundings): PlaybookLibrary {
  /** By file and hash: the same bytes say the same of themselves. */
  const loaded = new Map<string, LoadedPlaybook>();
  const hash = async (file: string): Promise<string | null> => {
    const content = await files.read(file);
    return content === null ? null : sha256Hex(content);
  };
  return {
    async write(name, source) {
      await files.makeDir(dir);
      const file = join(dir, `${name}.ts`);
      await files.writeAtomic(file, source);
      return { file, hash: sha256Hex(source) };
    },
    async load(file) {
      const bytes = await files.read(file, SOURCE_BYTES_MAX + 1);
      if (bytes === null) throw new PlaybookInvalid(file, 'the file is gone');
      if (bytes.length > SOURCE_BYTES_MAX) throw new PlaybookInvalid(file, `is longer than ${SOURCE_BYTES_MAX} bytes`);
      const found = sha256Hex(bytes);
      const key = `${file}\n${found}`;
      const known = loaded.get(key);
      if (known !== undefined) return { playbook: known, hash: found };
      const { loadPlaybook } = await import('./playbook-runner.ts');
      // Of the bytes that were hashed: an edit meanwhile is another playbook.
      const playbook = await loadPlaybook(file, new TextDecoder().decode(bytes), around);
      loaded.set(key, playbook);
      if (loaded.size > LOADED_MAX) loaded.delete(loaded.keys().next().value ?? '');
      return { playbook, hash: found };
    },
    hash,
    async files() {
      return (await files.list(dir)).filter((name) => FILE.test(name)).map((name) => join(dir, name));
    },
  };
}
