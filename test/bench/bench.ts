import type { BenchOptions } from './bench-options.ts';
import type { LoadDriver } from './processes/load-driver.ts';
import type { MadeStore } from './stores/made-stores.ts';

/** What every suite works with. */
export interface Bench {
  readonly options: BenchOptions;
  /** Empty at first, on a disk, and removed in the end with all that is in it. */
  readonly directory: string;
  readonly driver: LoadDriver;
  /** Made when they are first asked for, one for each of `options.sizes`. */
  stores(): Promise<readonly MadeStore[]>;
}
