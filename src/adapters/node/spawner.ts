import { spawn } from 'node:child_process';
import { codeOf, type CommandResult, type Spawner } from '../../kernel/index.ts';

const KEEP_BYTES = 65_536;

/** Keeps the last `KEEP_BYTES` of a stream, whatever is written to it. */
class Tail {
  private chunks: Buffer[] = [];
  private size = 0;
  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    while (this.size - (this.chunks[0]?.length ?? 0) > KEEP_BYTES) this.size -= this.chunks.shift()?.length ?? 0;
  }
  text(): string {
    return new TextDecoder().decode(Buffer.concat(this.chunks).subarray(-KEEP_BYTES));
  }
}

/** Helper commands as child processes, each the leader of its own group so that a time limit ends all of it. */
export const nodeSpawner: Spawner = {
  run(argv, options) {
    return new Promise<CommandResult>((resolve) => {
      const [file = '', ...args] = argv;
      const out = new Tail();
      const err = new Tail();
      let timedOut = false;
      let child: ReturnType<typeof spawn>;
      const failed = (code: string): void =>
        resolve({ exitCode: null, signal: null, stdout: out.text(), stderr: err.text(), timedOut, spawnErrorCode: code });
      try {
        child = spawn(file, args, { cwd: options.cwd, env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
      } catch (error) {
        failed(codeOf(error) ?? 'EINVAL'); // a NUL byte in an argument, an invalid directory
        return;
      }
      const end = (): void => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        } catch {
          // the group is gone already
        }
      };
      const timer = setTimeout(() => {
        timedOut = true;
        end();
      }, options.timeoutMs);
      options.signal?.addEventListener('abort', end, { once: true });
      if (options.signal?.aborted) end();
      child.stdout?.on('data', (chunk: Buffer) => out.add(chunk));
      child.stderr?.on('data', (chunk: Buffer) => err.add(chunk));
      child.stdin?.on('error', () => undefined); // it need not read its input
      child.stdin?.end(options.input ?? '');
      const cleanup = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', end);
      };
      child.on('error', (error) => {
        cleanup();
        failed(codeOf(error) ?? 'EUNKNOWN');
      });
      // A daemon that the command leaves behind may keep the pipes open: `exit` is the end, not `close`.
      child.on('exit', (exitCode, signal) => {
        cleanup();
        setTimeout(() => {
          child.stdout?.destroy();
          child.stderr?.destroy();
          resolve({ exitCode, signal, stdout: out.text(), stderr: err.text(), timedOut, spawnErrorCode: null });
        }, 10);
      });
    });
  },
};
