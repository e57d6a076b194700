import { factsOf, type CaseFile, type FailureFamily, type Remedy } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, PLAUSIBLE, SURE } from './answer.ts';
import { envFilesOf, keysInFile, keysInLastGood } from './env-text.ts';
import { restoringKeys } from './env-changed.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftPath, isCode, isInPackages, isOwn, mayBeData, shownPath } from './places.ts';
import { restoring, careFor } from './restore.ts';

/**
 * Data was encrypted with another secret than the service has now. The former secret is put back where it was at the last
 * good boot; none is ever invented, and the data is never written anew: with the wrong secret it would be lost for good.
 */
export const secretChanged: FailureFamily = {
  name: 'secret_changed',
  title: 'a secret does not fit the data',
  async diagnose(c) {
    const facts = factsOf(c, 'secret_mismatch');
    if (facts.length === 0) return [];
    const what = facts.find((f) => f.subject !== '')?.subject ?? 'what it has stored';
    const remedy = await former(c);
    return [
      diagnosis('secret_changed', {
        cause:
          remedy === null
            ? `${what} cannot be decrypted with the secret that ${c.component.name} has now`
            : `${what} cannot be decrypted since ${remedy.where} has another secret`,
        confidence: remedy === null ? PLAUSIBLE : remedy.isSure ? SURE : LIKELY,
        evidence: linesOf(facts),
        remedy: remedy?.remedy ?? null,
        advice: [
          `give ${c.component.name} the secret back that it had when the data was written`,
          'do not let it save with the new secret: what cannot be decrypted would be lost',
        ],
      }),
    ];
  },
  guard: (g) => guardOfSteps('secret_changed', g),
};

const SECRET_NAME = /secret|salt|passphrase|encryption|crypt|(?:app|master|private|cipher|data)[-_]?key|^key$/i;
const BYTES_MAX = 512 * 1024;

interface Former {
  readonly remedy: Remedy;
  readonly where: string;
  readonly isSure: boolean;
}

/** Where the secret of the last good boot can be had from. */
async function former(c: CaseFile): Promise<Former | null> {
  for (const file of envFilesOf(c.component)) {
    if (!isOwn(c.component, file)) continue;
    const now = new Map((await keysInFile(c.files, file)).map((k) => [k.key, k.value]));
    const lost = (await keysInLastGood(c.lastGood, c.component.name, file))
      .filter((k) => SECRET_NAME.test(k.key) && k.value !== '' && now.get(k.key) !== k.value)
      .map((k) => k.key);
    if (lost.length > 0) return { remedy: restoringKeys(c, file, lost), where: shownPath(c.component, file), isSure: true };
  }
  for (const drift of c.drift) {
    const path = driftPath(c.component, drift);
    if (path === null || !drift.canRestore || (drift.kind !== 'changed' && drift.kind !== 'missing')) continue;
    if (!isOwn(c.component, path) || isInPackages(path) || isCode(path) || mayBeData(path)) continue;
    const entry = await c.lastGood.entry(c.component.name, path);
    const before = entry === null ? null : await c.lastGood.content(entry);
    if (before === null) continue;
    const secrets = secretsIn(new TextDecoder().decode(before.subarray(0, BYTES_MAX)));
    const now = (await c.files.readText(path, BYTES_MAX)) ?? '';
    if (secrets.some((value) => !now.includes(value)))
      return { remedy: restoring(c, path, careFor(path, drift)), where: shownPath(c.component, path), isSure: false };
  }
  return null;
}

/** The values of settings that are named like a secret: `credentialSecret: '…'`, `secret_key = …`. They stay in here. */
function secretsIn(text: string): readonly string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const setting =
      /^[\s{,]{0,40}["']?([\w.-]{2,60})["']?\s{0,8}[:=]\s{0,8}["'`]?([^"'`\s,;][^"'`\n]{5,300}?)["'`]?\s{0,4}[,;}]{0,3}\s{0,8}$/.exec(
        line.slice(0, 500),
      );
    if (setting?.[1] !== undefined && setting[2] !== undefined && SECRET_NAME.test(setting[1])) found.push(setting[2]);
  }
  return found;
}
