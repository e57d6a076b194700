import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type Workspace } from './workspace.ts';

const INSTALL_MS_MAX = 180_000;

/** The peer: its current release, installed outside this repository, with a home of its own. */
export class Pm2 {
  readonly version: string;
  private readonly workspace: Workspace;
  private readonly bin: string;
  private readonly home: string;

  private constructor(workspace: Workspace, dir: string) {
    this.workspace = workspace;
    this.bin = join(dir, 'bin', 'pm2');
    this.home = workspace.folder('pm2');
    this.version = (JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version: string }).version;
  }

  /** @returns null when it is neither installed nor to be had: the figures are then without a peer */
  static async install(workspace: Workspace, say: (text: string) => void): Promise<Pm2 | null> {
    const cache = process.env['GRACE_BENCH_CACHE'] ?? join(tmpdir(), 'grace-bench');
    const dir = join(cache, 'node_modules', 'pm2');
    if (!existsSync(join(dir, 'bin', 'pm2'))) {
      mkdirSync(cache, { recursive: true });
      say(`installing pm2 in ${cache}`);
      // With the caller's environment: proxies and certificates of this machine are for the registry, not for what is measured.
      const result = spawnSync('npm', ['install', 'pm2', '--prefix', cache, '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: cache,
        encoding: 'utf8',
        timeout: INSTALL_MS_MAX,
      });
      if (!existsSync(join(dir, 'bin', 'pm2'))) {
        say(`pm2 cannot be installed, the figures are without a peer: ${(result.stderr ?? '').trim().split('\n')[0] ?? 'npm is missing'}`);
        return null;
      }
    }
    const pm2 = new Pm2(workspace, dir);
    await pm2.kill(); // its first run makes its folders
    return pm2;
  }

  argv(...args: readonly string[]): readonly string[] {
    return ['node', this.bin, ...args];
  }

  environment(env: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return { PM2_HOME: this.home, PM2_DISABLE_VERSION_CHECK: 'true', ...env };
  }

  run(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): ReturnType<Workspace['run']> {
    return this.workspace.run(this.argv(...args), { cwd, env: this.environment(env) });
  }

  /** A file that starts several services at once. */
  writeEcosystem(
    folder: string,
    apps: readonly { name: string; script: string; env: Readonly<Record<string, string>>; [key: string]: unknown }[],
  ): string {
    const file = join(folder, 'ecosystem.config.json');
    writeFileSync(file, JSON.stringify({ apps }));
    return file;
  }

  get daemonPid(): number {
    return Number(readFileSync(join(this.home, 'pm2.pid'), 'utf8'));
  }

  /** Ends the daemon and all its services. */
  async kill(): Promise<void> {
    await this.run(['delete', 'all', '--silent'], this.home);
    await this.run(['kill', '--silent'], this.home);
    for (let i = 0; i < 100 && this.livesStill(); i++) await sleep(20);
  }

  private livesStill(): boolean {
    try {
      return isAlive(this.daemonPid);
    } catch {
      return false;
    }
  }
}
