import type { CommandResult } from '../kernel/index.ts';

/** How a command failed, after its name: `ended with 1`, `took more than 5 minutes`. */
export function howItFailed(result: Pick<CommandResult, 'exitCode' | 'signal' | 'timedOut' | 'spawnErrorCode'>, limitMs: number): string {
  if (result.timedOut) return `took more than ${limitMs / 60_000} minutes`;
  if (result.spawnErrorCode !== null) return `could not be started (${result.spawnErrorCode})`;
  return `ended with ${result.exitCode ?? result.signal}`;
}

/** The end of a command's output, for an error message. */
export function outputTail(result: { readonly stdout: string; readonly stderr: string }, linesMax = 12): string {
  const lines = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines
    .slice(-linesMax)
    .map((line) => line.slice(0, 300))
    .join('\n');
}
