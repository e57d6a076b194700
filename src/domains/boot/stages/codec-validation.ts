import { join } from 'node:path';
import { messageOf } from '../../../kernel/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { finding, type BootContext, type Stage } from '../boot-context.ts';
import { StageParts } from '../stage-parts.ts';
import { preflightChecks } from './preflight-checks.ts';

const SAMPLES = [
  { name: 'ASCII', text: 'grace ~!@#$%^&*()' },
  { name: 'emoji', text: '✅🚀👩‍🔧' },
  { name: 'CJK', text: '日本語 中文 한국어' },
] as const;

export const codecValidation: Stage = {
  number: 5,
  name: 'Codec Validation',
  onFailure: 'abort',
  async run(context) {
    const findings: Finding[] = [];
    const failures: string[] = [];
    const besides: { readonly findings: Finding[]; readonly failures: string[] } = { findings: [], failures: [] };
    const parts = {
      codecs: new StageParts(context, findings, failures),
      besides: new StageParts(context, besides.findings, besides.failures),
    };
    let asciiFails = false;
    const all = SAMPLES.map((s) => s.text).join('\n');
    const ways = [
      { name: 'file', trip: () => throughFile(all, context) },
      { name: 'child process', trip: () => throughChild(all, context) },
      { name: 'store', trip: async () => (await context.core.storeRoundTrip(all)).text },
    ];
    // Side by side: what the checks find is no matter of the codecs.
    const [beside] = await Promise.all([
      parts.besides.run('checks', 'checks beside the start', 'services', async () => {
        const answer = await preflightChecks('beside_start', context);
        besides.findings.push(...answer.findings);
        besides.failures.push(...answer.failures);
        return answer;
      }),
      parts.codecs.run('codecs', 'text through file, process and store', 'logging', async () => {
        const answers = await Promise.all(ways.map((w) => w.trip().catch((error: unknown) => `\0${messageOf(error)}`)));
        for (const [i, way] of ways.entries()) {
          const lines = (answers[i] ?? '').split('\n');
          for (const [j, sample] of SAMPLES.entries()) {
            if (lines[j] === sample.text) continue;
            asciiFails ||= sample.name === 'ASCII';
            findings.push(
              finding(
                sample.name === 'ASCII' ? 'error' : 'warn',
                'codec_lossy',
                'grace',
                `${sample.name} text does not survive the ${way.name}`,
                'set LANG=C.UTF-8',
              ),
            );
          }
        }
        if (context.core.consoleEncoding() !== 'utf-8')
          findings.push(finding('info', 'console_not_utf8', 'grace', 'the console may not show emoji and CJK', 'set LANG=C.UTF-8'));
        if (asciiFails) failures.push('plain ASCII text does not survive');
      }),
    ]);
    findings.push(...besides.findings);
    failures.push(...besides.failures);
    return {
      result: failures.length > 0 ? 'failed' : findings.some((f) => f.severity !== 'info') ? 'warned' : 'success',
      metrics: { 'startup.codecs_tested': ways.length * SAMPLES.length },
      findings,
      checks: beside.checks,
      parts: [...parts.codecs.list, ...parts.besides.list],
      fixes: [],
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures[0] ?? '',
    };
  },
};

async function throughFile(text: string, { files, dataDir }: BootContext): Promise<string> {
  const path = join(dataDir, '.codec-check');
  await files.writeAtomic(path, text, { mode: 0o600 });
  const back = await files.readText(path);
  await files.remove(path);
  return back ?? '';
}

async function throughChild(text: string, { spawner, signal }: BootContext): Promise<string> {
  const result = await spawner.run(['cat'], {
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    timeoutMs: 5000,
    signal,
    input: text,
  });
  if (result.exitCode !== 0) throw new Error(`cat ended with ${result.exitCode ?? result.spawnErrorCode ?? result.signal ?? '?'}`);
  return result.stdout;
}
