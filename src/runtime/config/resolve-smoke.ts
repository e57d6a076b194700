import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { toMs } from './checked-values.ts';
import type { Scope } from './config-parts.ts';
import { byDefault, DEFAULTS } from './defaults.ts';
import type { SmokeSpec } from './grace-config.ts';
import { inFile } from './origin.ts';
import { targetOf } from './resolve-probe.ts';
import type { SmokeFile } from './schema.ts';

/** A smoke check, and the component it is about where only one can be meant. */
export function resolveSmoke({ parts, chooser }: Scope, file: SmokeFile, index: number, processes: readonly ComponentSpec[]): SmokeSpec {
  const at = `smoke[${index}]`;
  const choose = chooser.choose.bind(chooser);
  const withPort = processes.filter((process) => process.port !== null);
  const only = processes.length === 1 ? processes[0] : withPort.length === 1 ? withPort[0] : undefined;
  const owner = file.component === undefined ? only : processes.find((process) => process.name === file.component);
  choose<string | null>(`${at}.component`, inFile(file.component), byDefault(owner?.name ?? null, 'the only one it can be about'));
  const every = choose<string | number | false>(`${at}.every`, inFile(file.every), DEFAULTS.smokeEvery);
  const place = { projectDir: parts.projectDir, host: owner?.host ?? DEFAULTS.host.value, port: owner?.port ?? null };
  return {
    name: choose(`${at}.name`, { source: 'file', value: file.name }),
    target: targetOf(file, place),
    timeoutMs: toMs(choose<string | number>(`${at}.timeout`, inFile(file.timeout), DEFAULTS.smokeTimeout)),
    critical: choose<boolean>(`${at}.critical`, inFile(file.critical), DEFAULTS.smokeCritical),
    everyMs: every === false ? null : toMs(every),
    component: owner?.name ?? null,
  };
}
