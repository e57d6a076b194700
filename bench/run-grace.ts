import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const GRACE = join(import.meta.dirname, '..', 'bin', 'grace.mjs');
/**
 * Says at the end what the process took. Its most memory as the kernel tells it of this program: `resourceUsage().maxRSS` counts what its
 * parent had when it was forked, too.
 */
const REPORTER = `data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>{
  const {user,system}=process.cpuUsage(),peak=readFileSync('/proc/self/status','latin1').match(/VmHWM:\\s+(\\d+)/)[1];
  process.stderr.write(JSON.stringify({cpuUs:user+system,peakKib:Number(peak)}));
})`;

export interface GraceRun {
  readonly status: number | null;
  readonly stdout: string;
  /** All of it, its start included. */
  readonly cpuS: number;
  /** The most that was resident, in MB of 1,000,000 bytes. */
  readonly mb: number;
}

/** Runs the built grace as people do. @throws when it ended with neither 0 nor 1 */
export function runGrace(args: readonly string[], cwd: string): GraceRun {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', REPORTER, GRACE, ...args], { cwd, encoding: 'utf8' });
  const at = stderr.lastIndexOf('{"cpuUs"');
  if (at < 0 || (status !== 0 && status !== 1)) throw new Error(`grace ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  const { cpuUs, peakKib } = JSON.parse(stderr.slice(at)) as { cpuUs: number; peakKib: number };
  return { status, stdout, cpuS: cpuUs / 1e6, mb: (peakKib * 1024) / 1e6 };
}
