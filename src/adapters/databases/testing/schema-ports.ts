import { spawn } from 'node:child_process';
import type { Spawner } from '../../../kernel/index.ts';
import type { ExpectedPorts, FailedAttempt } from '../index.ts';

/** A process of its own, as the one that Grace starts; ended at its limit. */
export const testSpawner: Spawner = {
  run: ([command = '', ...argv], { cwd, env, timeoutMs, input }) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, argv, { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL' });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.once('error', reject);
      child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal, stdout, stderr, timedOut: signal === 'SIGKILL', spawnErrorCode: null });
      });
      child.stdin.end(input ?? '');
    }),
};

export function memory(): ExpectedPorts['memory'] {
  const known = new Map<string, Parameters<ExpectedPorts['memory']['keep']>[1]>();
  const failed = new Map<string, FailedAttempt>();
  return {
    recall: async (key) => known.get(key) ?? null,
    keep: async (key, snapshot) => void known.set(key, snapshot),
    recallFailure: async (key) => failed.get(key) ?? null,
    keepFailure: async (key, attempt) => void failed.set(key, attempt),
  };
}
