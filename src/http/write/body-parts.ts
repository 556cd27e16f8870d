import { RepricerError } from '../../errors.ts';

/** A part of a body: a line of NDJSON or an element of a JSON array; or why it cannot be one. */
export type BodyPart =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly error: RepricerError };

/** Cuts a body into its parts as it comes in. Numbers count lines, or elements, from 1. */
export interface BodySplitter {
  /** The parts that end in this chunk. */
  take(chunk: Buffer): readonly BodyPart[];
  /** What is left when the body ends. */
  end(): readonly BodyPart[];
  /** Of the part that comes next. */
  readonly number: number;
  /** Set when what follows cannot be cut into parts any more. */
  readonly isBroken: boolean;
}

const nothing = Buffer.alloc(0);

/** Collects the bytes of one part, up to a length. */
export class PartBytes {
  readonly #bytesMax: number;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (piece.length > 0 && this.#length <= this.#bytesMax) this.#pieces.push(piece);
  }

  /** What was collected since the last call. */
  finish(number: number): BodyPart {
    const isTooLong = this.#length > this.#bytesMax;
    const [piece = nothing, ...others] = isTooLong ? [] : this.#pieces;
    // Nearly all come in one piece, which then is no copy, and is let go as soon as it was read.
    const bytes = others.length === 0 ? piece : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    if (!isTooLong) return { number, bytes };
    const why = `The line must be at most ${this.#bytesMax} bytes long.`;
    return { number, error: new RepricerError('BODY_TOO_LARGE', why) };
  }
}
