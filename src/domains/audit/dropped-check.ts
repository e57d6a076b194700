import type { Findings } from './finding.ts';
import { entriesText } from './sequence-check.ts';

/** Stretches remembered: retention drops the oldest, so that a log has one between any two entries about itself. */
const STRETCHES_MAX = 10_000;

/** Entries from the first to before the last. */
interface Stretch {
  readonly from: number;
  to: number;
}

/** Says which entries lost their content without a later entry by which the log itself tells that retention drops it. */
export class DroppedCheck {
  #open: Stretch[] = [];

  /** An entry of which only the hash is left; in order of their places. */
  dropped(place: number): void {
    const last = this.#open.at(-1);
    // With too many stretches what lies between two counts as well: where all of it was announced, it is right.
    if (last !== undefined && (last.to === place || this.#open.length >= STRETCHES_MAX)) last.to = place + 1;
    else this.#open.push({ from: place, to: place + 1 });
  }

  /**
   * An entry that announces it.
   * @param place   where it stands: it can only tell of what is before it
   * @param payload `{ from, before }`, and `kept`, those of them that keep their contents; anything else announces nothing
   */
  announced(place: number, payload: unknown): void {
    const { from, before, kept } = payload as { readonly from?: unknown; readonly before?: unknown; readonly kept?: unknown };
    if (typeof from !== 'number' || typeof before !== 'number') return;
    let start = from;
    for (const one of Array.isArray(kept) ? kept : []) {
      if (typeof one !== 'number' || one < start) continue;
      this.#close(start, Math.min(one, before, place));
      start = one + 1;
    }
    this.#close(start, Math.min(before, place));
  }

  #close(from: number, until: number): void {
    if (until <= from) return;
    this.#open = this.#open.flatMap((stretch) =>
      stretch.to <= from || until <= stretch.from
        ? [stretch]
        : [
            { from: stretch.from, to: Math.min(stretch.to, from) },
            { from: Math.max(stretch.from, until), to: stretch.to },
          ].filter((rest) => rest.from < rest.to),
    );
  }

  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  end(findings: Findings): void {
    for (const { from, to } of this.#open) {
      const [have, none] = from + 1 === to ? ['has', 'it'] : ['have', 'them'];
      const message = `${entriesText(from, to - 1)} ${have} no content any more, and no entry of the log says that retention drops ${none}`;
      findings.add('dropped', message, from, from + 1 === to ? null : to - 1);
    }
  }
}
