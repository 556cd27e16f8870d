/** Whoever sees to it that what was started for it ends with it: ava's `t` is one. */
export interface Owner {
  teardown(end: () => unknown): void;
}
