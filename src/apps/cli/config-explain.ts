import { explainConfig, explainText, loadConfig } from '../../runtime/config/index.ts';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';

/** `grace config explain`: every setting, its value, and where it came from. @throws ConfigInvalid */
export async function configExplain(
  command: readonly string[],
  options: LookOptions,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Answer> {
  const config = await loadConfig({
    directory,
    configFile: options.config,
    command: command.length === 0 ? undefined : command,
    environment,
    flags: { dataDir: options.dataDir },
  });
  const settings = explainConfig(config);
  return { exitCode: 0, data: settings, lines: [explainText(settings).trimEnd()] };
}
