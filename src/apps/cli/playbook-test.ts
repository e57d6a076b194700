import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { nodeFiles } from '../../adapters/node/files.ts';
import { playbookLibrary } from '../../adapters/node/playbook-library.ts';
import { NoSuchPlaybook } from '../../runtime/authoring/errors.ts';
import { recordFileOf } from '../../runtime/authoring/recorded-failure.ts';
import { rehearsePlaybook, type Rehearsal } from '../../runtime/authoring/rehearse-playbook.ts';
import { loadConfig } from '../../runtime/config/index.ts';
import { formatDuration, type Logger } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';
import { columns, err, paint, table, wrap } from './terminal.ts';

export interface TestCommand extends LookOptions {
  readonly keep?: boolean;
}

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** `grace playbooks test`: exit code 0 only when every one of them has passed. @throws NoSuchPlaybook, RecordedFailureInvalid */
export async function testPlaybooks(names: readonly string[], options: TestCommand): Promise<Answer> {
  const config = await loadConfig({
    directory: process.cwd(),
    configFile: options.config,
    environment: process.env,
    flags: { dataDir: options.dataDir },
  });
  const files = new Map((await filesIn(config.playbooksDir)).map((file) => [basename(file, extname(file)), file]));
  const unknown = names.find((name) => !files.has(name));
  if (unknown !== undefined)
    throw new NoSuchPlaybook(`there is no playbook "${unknown}" in ${config.playbooksDir}`, 'name it as its file: grace playbooks list');
  const chosen = names.length > 0 ? names : [...files].flatMap(([name, file]) => (existsSync(recordFileOf(file, name)) ? [name] : []));
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('it was told to stop'));
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const isShown = options.json !== true && process.stderr.isTTY;
  const results: Rehearsal[] = [];
  for (const name of chosen)
    results.push(
      await rehearsePlaybook({
        config,
        configFile: options.config,
        environment: process.env,
        logger: SILENT,
        signal: stop.signal,
        file: files.get(name) ?? '',
        name,
        isKept: options.keep === true,
        onPart: (part) => (isShown ? err(paint('dim', `${name}: ${part} …`)) : undefined),
      }),
    );
  return testAnswer(results);
}

export function testAnswer(results: readonly Rehearsal[]): Answer {
  const count = (outcome: Rehearsal['outcome']): number => results.filter((r) => r.outcome === outcome).length;
  const colour = { passed: 'green', failed: 'red', inconclusive: 'yellow' } as const;
  const summary = (['passed', 'failed', 'inconclusive'] as const).flatMap((o) =>
    count(o) === 0 ? [] : [paint(colour[o], `${count(o)} ${o}`)],
  );
  return {
    exitCode: results.length > 0 && count('passed') === results.length ? 0 : 1,
    data: results.map((r) => ({
      playbook: r.playbook,
      outcome: r.outcome,
      reason: r.reason,
      took_ms: Math.round(r.tookMs),
      parts: r.parts.map(({ part, state, detail, tookMs }) => ({ part, state, detail, took_ms: Math.round(tookMs) })),
      sandbox: r.sandbox,
    })),
    lines:
      results.length === 0
        ? ['no playbook here has a recorded failure: one is written with each playbook that Grace makes, and by grace playbooks new --for']
        : [
            table([
              ['playbook', 'unbroken', 'fails', 'heals', 'undone', 'took', 'outcome'].map((title) => paint('dim', title)),
              ...results.map((r) => [
                r.playbook,
                ...(['comes up unbroken', 'fails as recorded', 'heals', 'is undone'] as const).map((part) => markOf(r, part)),
                formatDuration(r.tookMs),
                paint(colour[r.outcome], r.outcome),
              ]),
            ]),
            '',
            ...results.flatMap((r) =>
              r.outcome === 'passed' && r.sandbox === null
                ? []
                : [
                    `${paint(colour[r.outcome], r.playbook)}: ${wrap(r.reason, columns() - r.playbook.length - 2, '  ')}`,
                    ...(r.sandbox === null ? [] : [`  its sandbox: ${r.sandbox}`]),
                  ],
            ),
            summary.join(', '),
          ],
  };
}

function markOf({ parts }: Rehearsal, name: string): string {
  const part = parts.find((p) => p.part === name);
  if (part === undefined) return '';
  return part.state === 'passed' ? paint('green', 'yes') : part.state === 'failed' ? paint('red', 'no') : 'cannot be';
}

function filesIn(dir: string): Promise<readonly string[]> {
  return playbookLibrary(dir, nodeFiles, { redact: (text) => text, logger: SILENT, marks: { describe: '', run: '' } }).files();
}
