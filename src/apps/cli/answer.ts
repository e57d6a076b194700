import { codeOf } from '../../kernel/index.ts';
import { out, printJson } from './terminal.ts';

/** What a command has to say: to scripts (`data`), to people (`lines`), and as an exit code. */
export interface Answer {
  /** 0 fine, 1 not healthy or refused. */
  readonly exitCode: 0 | 1;
  readonly data: unknown;
  readonly lines: readonly string[];
}

/** @returns the exit code */
export function tell(answer: Answer, asJson: boolean): number {
  // `grace boots | head -1` closes the pipe when it has seen enough
  process.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error;
  });
  if (asJson) printJson(answer.data);
  else for (const line of answer.lines) out(line);
  return answer.exitCode;
}
