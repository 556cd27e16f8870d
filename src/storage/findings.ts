import type { Damage } from './damage.ts';

/** How many damages are kept with their words; all are counted. */
const damagesMax = 100;
const notesMax = 100;

/** What a verification has found so far. */
export class Findings {
  readonly damages: Damage[] = [];
  readonly notes: string[] = [];
  damageCount = 0;

  damage(file: string, offset: number, seq: number, problem: string): void {
    this.damageCount += 1;
    if (this.damages.length < damagesMax) this.damages.push({ file, offset, seq, problem });
  }

  /** Something unusual that the next start mends or that does no harm. */
  note(text: string): void {
    if (this.notes.length < notesMax) this.notes.push(text);
  }
}
