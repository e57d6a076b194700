import type { Answer } from './answer.ts';
import { outcomeOf } from './boots.ts';
import type { Memory } from './memory.ts';
import { scoreOf } from '../../runtime/track-record.ts';
import { scoreJson, scoreLine, scoreReasons } from './past-boots.ts';
import { paint, table } from './terminal.ts';
import { count, iso, when } from './when.ts';

/** `grace health`: the score over the last ten boots [BL-11]. Poor is not healthy. */
export async function health(memory: Memory): Promise<Answer> {
  const { score, boots } = await scoreOf(memory);
  const data = {
    ...scoreJson(score),
    last_boots: boots.map(({ boot, issues, failedStage }) => ({
      id: boot.id,
      at: iso(boot.startedAtMs),
      outcome: boot.outcome,
      verified: boot.isVerified,
      issues,
      failed_stage: failedStage,
    })),
  };
  const lines = [
    scoreLine(score),
    ...scoreReasons(score),
    ...(boots.length === 0
      ? []
      : [
          '',
          table(
            boots.map(({ boot, issues, failedStage }) => [
              `  ${boot.id}`,
              when(boot.startedAtMs, memory.nowMs),
              issues === 0 ? paint('dim', 'no issues') : count(issues, 'issue'),
              outcomeOf(boot),
              failedStage === null ? '' : paint('dim', failedStage),
            ]),
          ),
        ]),
  ];
  return { exitCode: score.score === 'poor' ? 1 : 0, data, lines };
}
