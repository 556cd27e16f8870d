/**
 * What a call changed, in memory; what of it survives a crash is for `crash-states.ts` to say. Files
 * are numbered, as their names come and go.
 */
export type Effect = NameEffect | FileEffect | SyncEffect;

/** A change of the names in one directory. */
export type NameEffect =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'makeDirectory'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string };

/** A change of the bytes of one file. */
export type FileEffect =
  | {
      readonly kind: 'write';
      readonly file: number;
      readonly position: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly file: number; readonly length: number };

/** A sync, which makes durable what came before it, or one that failed, after which that may be lost for ever. */
export type SyncEffect =
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'failedSync'; readonly file: number }
  | { readonly kind: 'syncDirectory'; readonly path: string };

/** The file's bytes after a change of them. */
export function changeBytes(bytes: Buffer, effect: FileEffect): Buffer {
  if (effect.kind === 'truncate') return resize(bytes, effect.length);
  const end = effect.position + effect.bytes.length;
  const changed = Buffer.from(bytes.length < end ? resize(bytes, end) : bytes);
  effect.bytes.copy(changed, effect.position);
  return changed;
}

function resize(bytes: Buffer, length: number): Buffer {
  const resized = Buffer.alloc(length);
  bytes.copy(resized);
  return resized;
}
