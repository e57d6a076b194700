import type { PlaybookLibrary } from '../domains/healing/index.ts';
import { PlaybookCutOff, PrimitiveMisuse, type LoadedPlaybook, type RunContext, type StepResult } from '../domains/playbooks/index.ts';
import { messageOf, type JsonObject } from '../kernel/index.ts';
import type { Audit, AuditNote } from './audit.ts';

/**
 * Said to code that asked for a power: by a Node without any, and by the process of the playbook.
 * @see https://nodejs.org/api/errors.html#err_access_denied
 */
const DENIED = [
  'ERR_ACCESS_DENIED',
  'Access to this API has been restricted',
  'Code generation from strings disallowed',
  'a playbook may import nothing but grace-runtime',
];
const SHOWN_CHARS_MAX = 200;

/**
 * Playbooks, and an entry for each time one asks for what it may not have, also when it goes on as if nothing had been: a process that
 * breaks a rule, a step that is refused, a power that its process does not have.
 */
export function auditedLibrary(library: PlaybookLibrary, audit: Audit | null, actor: string): PlaybookLibrary {
  if (audit === null) return library;
  return {
    ...library,
    async load(file) {
      try {
        const { playbook, hash } = await library.load(file);
        return { hash, playbook: watched(playbook, file, audit, actor) };
      } catch (error) {
        noteEnd(error, file, audit, actor);
        throw error;
      }
    },
  };
}

function watched(playbook: LoadedPlaybook, file: string, audit: Audit, actor: string): LoadedPlaybook {
  return {
    ...playbook,
    async run(context, signal) {
      try {
        await playbook.run(watchedSteps(context, file, audit, actor), signal);
      } catch (error) {
        noteEnd(error, file, audit, actor);
        throw error;
      }
    },
  };
}

function watchedSteps(context: RunContext, file: string, audit: Audit, actor: string): RunContext {
  return {
    params: context.params,
    component: context.component,
    async step(name: string, primitive: string, params: JsonObject): Promise<StepResult> {
      try {
        return await context.step(name, primitive, params);
      } catch (error) {
        if (isRefusal(error))
          audit.note({
            ...about(actor),
            action: 'security.step_refused',
            resource: `component/${context.component}`,
            result: 'denied',
            payload: {
              file,
              step: name.slice(0, SHOWN_CHARS_MAX),
              primitive: primitive.slice(0, SHOWN_CHARS_MAX),
              params,
              problem: messageOf(error),
            },
          });
        throw error;
      }
    },
  };
}

/** It was not carried out; one that did not work is in the journal. */
function isRefusal(error: unknown): boolean {
  return error instanceof PrimitiveMisuse || (error instanceof Error && 'refused' in error && error.refused === true);
}

function noteEnd(error: unknown, file: string, audit: Audit, actor: string): void {
  const problem = messageOf(error);
  if (error instanceof PlaybookCutOff)
    audit.note({
      ...about(actor),
      action: 'security.playbook_cut_off',
      resource: 'playbook/file',
      result: 'failed',
      payload: { file, problem },
    });
  else if (DENIED.some((text) => problem.includes(text)))
    audit.note({
      ...about(actor),
      action: 'security.playbook_denied',
      resource: 'playbook/file',
      result: 'denied',
      payload: { file, problem },
    });
}

function about(actor: string): Pick<AuditNote, 'actor' | 'subsystem'> {
  return { actor, subsystem: 'playbooks' };
}
