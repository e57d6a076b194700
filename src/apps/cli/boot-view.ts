import type { Emit, GraceEvent } from '../../domains/healing/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import { commandLines } from './suggested-commands.ts';
import { columns, paint, visibleLength, wrap } from './terminal.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 90;

/** How a boot is shown: one line per event with a live line below on a terminal, plain lines elsewhere, or JSON lines. */
export function bootView(kind: 'terminal' | 'plain' | 'json'): { readonly emit: Emit; readonly close: () => void } {
  if (kind === 'json')
    return {
      emit: (event) => process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`),
      close: () => undefined,
    };
  const live = kind === 'terminal' ? new LiveLine() : null;
  const print = (text: string): void => {
    live?.clear();
    process.stdout.write(`${text}\n`);
    live?.draw();
  };
  return {
    emit: (event) => {
      live?.follow(event);
      for (const line of linesFor(event)) print(line);
    },
    close: () => live?.stop(),
  };
}

const MARK = {
  success: () => paint('green', '✔'),
  warned: () => paint('yellow', '!'),
  failed: () => paint('red', '✖'),
  skipped: () => paint('dim', '·'),
} as const;

const LAYER_MARK = { ok: MARK.success, degraded: MARK.warned, failed: MARK.failed } as const;
/** The others are in the report. */
const LAYER_REASONS_SHOWN = 3;

function linesFor(event: GraceEvent): readonly string[] {
  const width = columns() - 6;
  switch (event.type) {
    case 'boot_started':
      return [
        paint('bold', `grace  ${event.service}`) +
          paint('dim', `  ${event.boot}  ${event.mode}  ${event.components.length} component${event.components.length === 1 ? '' : 's'}`),
      ];
    case 'stage_ended':
      return [
        `${MARK[event.result]()} ${event.stage.padEnd(26)} ${paint('dim', formatDuration(event.durationMs).padStart(8))}${stageDetail(event.detail, columns() - STAGE_WIDTH)}`,
      ];
    case 'layer_ended':
      return [
        `${LAYER_MARK[event.state]()} ${paint('bold', `layer ${event.number}  ${event.layer.padEnd(21)}`)} ${event.state.padEnd(8)} ${paint('dim', formatDuration(event.durationMs))}`,
        ...event.reasons.slice(0, LAYER_REASONS_SHOWN).map((why) => `    ${wrap(why, columns() - 4, '    ')}`),
      ];
    case 'finding':
      return event.finding.severity === 'info'
        ? []
        : [
            `    ${event.finding.severity === 'error' ? paint('red', 'error') : paint('yellow', 'warn ')}  ${wrap(`${event.finding.component}: ${event.finding.message}`, width - 8, ' '.repeat(11))}`,
          ];
    case 'component_ready':
      return [
        `    ${paint('green', '●')} ${event.component} ${event.adopted ? 'adopted' : 'ready'} in ${formatDuration(event.tookMs)}${paint('dim', `${event.port === null ? '' : `  port ${event.port}`}${event.pid === null ? '' : `  pid ${event.pid}`}`)}`,
      ];
    case 'component_failed':
      return [`    ${paint('red', '●')} ${wrap(`${event.component}: ${event.message}`, width, '      ')}`];
    case 'component_waiting':
      return [`    ${paint('yellow', '●')} ${event.component}: ${event.text}`];
    case 'component_restarting':
      return [
        `    ${paint('yellow', '●')} ${event.component}: starting again${event.delayMs > 0 ? ` in ${formatDuration(event.delayMs)}` : ''} (${event.reason})`,
      ];
    case 'component_skipped':
      return [`    ${paint('dim', '●')} ${event.component} skipped: ${event.reason}`];
    case 'component_stopped':
      return [`    ${paint('dim', '●')} ${event.component} stopped${event.killed ? ' (it ignored the signal and was killed)' : ''}`];
    case 'diagnosed': {
      const lines = [`      ${paint('bold', 'cause')}     ${wrap(event.cause, width - 12, ' '.repeat(16))}`];
      for (const e of event.evidence.slice(0, 3)) lines.push(`      ${paint('dim', `evidence  ${wrap(e, width - 12, ' '.repeat(16))}`)}`);
      lines.push(
        `      ${paint('dim', `incident  ${event.incident} (${event.known ? 'known' : 'new'}, family ${event.family}, ${Math.round(event.confidence * 100)} % sure)`)}`,
      );
      return lines;
    }
    case 'playbook_chosen':
      return [
        `      ${paint('bold', 'playbook')}  ${event.playbook}${event.generated ? ' (written just now)' : ''}${paint('dim', `  ${event.risk}, ${event.tier}`)}`,
        ...(event.verdict === 'allow'
          ? []
          : [
              `      ${paint(event.verdict === 'allow_with_notice' ? 'cyan' : 'yellow', `${event.verdict === 'allow_with_notice' ? 'notice' : event.verdict === 'deny' ? 'denied' : 'held  '}    ${event.reason}`)}`,
            ]),
      ];
    case 'step':
      if (event.state === 'done')
        return [`      ${paint('green', '✔')} ${wrap(event.summary === '' ? event.step : event.summary, width, '        ')}`];
      if (event.state === 'nothing_to_do') return [`      ${paint('dim', `· ${event.summary}`)}`];
      return [];
    case 'playbook_verified':
      return [
        `    ${paint('green', '✔')} ${wrap(`${event.component}: ${event.playbook} ${paint('green', 'verified')}${paint('dim', `, and guarded against from now on (${event.incident})`)}`, width, '      ')}`,
      ];
    case 'playbook_failed':
      return [
        `      ${paint('red', '✖')} ${wrap(`${event.playbook}: ${event.reason}${event.undone ? ' (undone)' : ''}`, width, '        ')}`,
      ];
    case 'approval_needed':
      // How to answer stands above, among the commands.
      return [`      ${paint('yellow', 'waits')}     for approval ${event.approval}`];
    case 'approval_expiring':
      return [
        `    ${paint('yellow', 'warn ')}  approval ${event.approval} for ${event.playbook} ends unanswered, which is a no, ${minuteOf(event.expiresAtMs)}`,
      ];
    case 'learned_from_person':
      return [
        `    ${paint('cyan', '●')} ${event.component}: ${wrap(`a person mended it: ${event.did.join('; ')}`, width - 8, '      ')}`,
        ...(event.playbook === null
          ? []
          : [
              `      kept as candidate playbook ${paint('bold', event.playbook)}`,
              ...(event.approval === null ? [] : [`      approve with: grace approvals approve ${event.approval}`]),
            ]),
      ];
    case 'mode_changed':
      return [
        `    ${paint('yellow', '●')} ${wrap(`the mode is ${paint('bold', event.mode)} now, no longer ${event.before}, by ${event.by}: ${event.reason}`, width, '      ')}`,
        ...(event.untilMs === null ? [] : [`      until ${minuteOf(event.untilMs)}`]),
      ];
    case 'policy_changed':
      return [
        `    ${paint(event.state === 'in_force' ? 'cyan' : 'yellow', '●')} ${wrap(POLICY_STATES[event.state](event), width, '      ')}`,
        ...(event.state === 'waiting' && event.approval !== null ? [`      another person: grace approvals show ${event.approval}`] : []),
      ];
    case 'held':
      return [
        `    ${paint('yellow', '●')} ${event.component} is held: ${wrap(event.cause, width - 12, '      ')}`,
        `      waiting for ${event.waitingFor}`,
      ];
    case 'person_needed':
      return [
        ...event.advice.slice(0, 2).map((a, i) => labelled(i === 0 ? 'you can' : '', wrap(a, width - 12, ' '.repeat(16)))),
        ...commandLines(event.commands.slice(0, COMMANDS_SHOWN), width - 10).map((line, i) => labelled(i === 0 ? 'run' : '', line)),
      ];
    case 'playbook_inconclusive':
      return [
        `    ${paint('yellow', '?')} ${event.playbook} ran: ${wrap(`whether it helped could not be told: ${event.reason}`, width, '      ')}`,
      ];
    case 'undo_failed':
      return [
        `    ${paint('red', '✖')} ${wrap(`${event.playbook} could not be put back on ${event.component}: look at it before anything else`, width, '      ')}`,
        ...event.left.slice(0, LEFT_SHOWN).map((text) => labelled('left', wrap(text, width - 12, ' '.repeat(16)))),
        labelled('run', 'grace explain'),
      ];
    case 'breaker_opened':
      return [
        `    ${paint('red', '●')} ${wrap(`${event.reason}: it is not run again`, width, '      ')}`,
        labelled('run', `grace breakers close ${event.breaker} --reason …`),
      ];
    case 'playbook_demoted':
      return [
        `    ${paint('yellow', '▼')} ${wrap(`${event.playbook} is ${event.to} from now on, not ${event.from}: ${event.reason}`, width, '      ')}`,
        labelled('run', `grace playbooks show ${event.playbook}`),
      ];
    case 'shadow_scored':
      return [
        `    ${paint('dim', '·')} ${wrap(`${event.component}: ${event.playbook}, which was not allowed to run, would have been a ${event.score}`, width, '      ')}`,
        labelled('run', `grace playbooks shadow show ${event.record}`),
      ];
    case 'storm':
      return [
        `    ${paint('red', '●')} ${wrap(`${event.components.length} components fail at once (${event.components.join(', ')}): ${event.reason}`, width, '      ')}`,
      ];
    case 'storm_over':
      return [`    ${paint('green', '●')} nothing has failed for a while: playbooks run again`];
    case 'mission_opened':
      return [labelled('run', `grace missions show ${event.mission}`)];
    case 'mission_closed':
      return [`    ${paint('green', '●')} ${wrap(`${event.component}: gone: ${event.message}`, width, '      ')}`];
    case 'validation_ended':
      return event.fixed.length === 0 ? [] : [`    ${paint('green', '✔')} continuous validation mended ${event.fixed.join(', ')}`];
    case 'notice':
      return [
        `    ${event.level === 'error' ? paint('red', event.text) : event.level === 'warn' ? paint('yellow', event.text) : event.text}`,
      ];
    case 'boot_ended':
      return event.outcome === 'success'
        ? [paint('green', `up in ${formatDuration(event.durationMs)}`)]
        : [`${paint('red', `boot ${event.outcome}`)} after ${formatDuration(event.durationMs)}\nreport: ${event.report}`];
    case 'snapshot_taken':
    case 'stage_started':
    case 'component_starting':
      return [];
  }
}

function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

type PolicyChanged = Extract<GraceEvent, { type: 'policy_changed' }>;

const POLICY_STATES: Readonly<Record<PolicyChanged['state'], (event: PolicyChanged) => string>> = {
  in_force: (e) => `other policies than before are in force${differences(e)}: ${e.reason}`,
  waiting: (e) => `the policies differ from those in force${differences(e)}, and do not count yet: ${e.reason}`,
  refused: (e) => `the policies differ from those in force${differences(e)}, and do not count: ${e.reason}`,
};

function differences({ added, removed }: PolicyChanged): string {
  const parts = [
    ...(added.length === 0 ? [] : [`new: ${added.join(', ')}`]),
    ...(removed.length === 0 ? [] : [`gone: ${removed.join(', ')}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

/** Up to where the detail of a stage begins. */
const STAGE_WIDTH = 39;

/** Beside its stage, or below it where that leaves too little room for a sentence. */
function stageDetail(detail: string, room: number): string {
  if (detail === '') return '';
  return visibleLength(detail) <= room ? `  ${detail}` : `\n    ${wrap(detail, columns() - 4, '    ')}`;
}

/** The others are in `grace explain`. */
const LEFT_SHOWN = 5;
/** While a boot goes on; the others are in `grace explain`. */
const COMMANDS_SHOWN = 3;

function labelled(label: string, text: string): string {
  return `      ${paint('bold', label.padEnd(9))} ${text}`;
}

/** The one line that moves: what is being done right now, and for how long. */
class LiveLine {
  private text = '';
  private sinceMs = 0;
  private frame = 0;
  private drawn = false;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => {
      this.frame++;
      this.clear();
      this.draw();
    }, FRAME_MS);
    this.timer.unref();
  }

  follow(event: GraceEvent): void {
    if (event.type === 'stage_started') this.say(event.stage);
    else if (event.type === 'component_starting') this.say(`starting ${event.component}`);
    else if (event.type === 'step' && (event.state === 'start' || event.state === 'progress'))
      this.say(event.state === 'start' ? event.step : event.summary);
    else if (event.type === 'component_ready' && this.text === `starting ${event.component}`) this.say('');
    else if (event.type === 'held') this.say(`waiting for ${event.waitingFor}`);
    else if (event.type === 'boot_ended') this.say('');
  }

  private say(text: string): void {
    this.text = text;
    this.sinceMs = performance.now();
  }

  clear(): void {
    if (this.drawn) process.stdout.write('\r\u001B[2K');
    this.drawn = false;
  }

  draw(): void {
    if (this.text === '') return;
    const line = `${paint('cyan', FRAMES[this.frame % FRAMES.length] ?? '')} ${this.text} ${paint('dim', formatDuration(performance.now() - this.sinceMs))}`;
    if (visibleLength(line) < columns()) process.stdout.write(line);
    this.drawn = true;
  }

  stop(): void {
    clearInterval(this.timer);
    this.clear();
  }
}
