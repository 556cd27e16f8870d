/** What a start makes of something that it finds. */
export type Outcome =
  /** It changes nothing and ends with `JOURNAL_DAMAGED`. */
  | 'refused'
  /** It keeps the bytes aside, cuts them off and logs a warning. */
  | 'cut'
  /** It makes a derived file anew from the journal and logs a warning. */
  | 'rebuilt'
  /** It finishes what was interrupted, as after any unclean stop, without a word. */
  | 'finished';

/**
 * Everything that a start may find and has to decide about, by the label under which messages, logs,
 * `docs/recovery.md` and the tests know it.
 */
export const recoveryCases = {
  'bad-line-below-tail': 'refused',
  'gap-in-seq': 'refused',
  'two-open-segments': 'refused',
  'product-beyond-torn-tail': 'refused',
  'product-beyond-journal': 'refused',
  'checkpoint-beyond-journal': 'refused',
  'sealed-bad-line': 'refused',
  'sealed-empty': 'refused',
  'sealed-missing': 'refused',
  'sealed-size': 'refused',
  'sealed-sum': 'refused',
  'sealed-stray': 'refused',
  'sealed-twice': 'refused',
  'manifest-bad-line': 'refused',
  'manifest-gap': 'refused',
  'torn-tail': 'cut',
  'checkpoint-missing': 'rebuilt',
  'checkpoint-damaged': 'rebuilt',
  'product-files-missing': 'rebuilt',
  'product-files-changed': 'rebuilt',
  'product-files-fewer': 'rebuilt',
  'product-lacks-version': 'rebuilt',
  'product-damaged': 'rebuilt',
  'product-torn-tail': 'finished',
  'not-sealed': 'finished',
  'sealed-unlisted': 'finished',
  'manifest-torn-line': 'finished',
  'interrupted-replacement': 'finished',
} as const satisfies Readonly<Record<string, Outcome>>;

export type RecoveryCase = keyof typeof recoveryCases;

type CaseWith<AnOutcome extends Outcome> = {
  [Case in RecoveryCase]: (typeof recoveryCases)[Case] extends AnOutcome ? Case : never;
}[RecoveryCase];

export type RefusedCase = CaseWith<'refused'>;
export type RebuiltCase = CaseWith<'rebuilt'>;
