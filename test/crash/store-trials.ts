import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildService, type Surroundings } from '../support/child-service.ts';
import type { Checker, StoreState } from './checker.ts';
import { Client, type Load, type LoadResult } from './client.ts';
import type { Evidence, FaultRun } from './fault.ts';
import type { Operation } from './operation.ts';
import { TrialOwner } from './trial-owner.ts';

/**
 * Makes a trial of each name, on a store of its own. `act` leaves no process running in the store and
 * gives the state that the store must be in; then everything that was ever asked of it is checked.
 */
export async function runStoreTrials(
  run: FaultRun,
  names: readonly string[],
  act: (store: TrialStore, index: number) => Promise<StoreState>,
): Promise<void> {
  for (const [index, name] of names.entries()) {
    await run.trial(name, async () => {
      const store = new TrialStore(join(run.directory, `store-${index}`));
      try {
        return await store.evidence(run.checker, await act(store, index));
      } finally {
        await store.remove();
      }
    });
  }
}

/** `name 0`, `name 1`, … */
export function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

/** A trial's own data directory, the client that writes to it, and what was seen to be wrong. */
export class TrialStore {
  readonly owner = new TrialOwner();
  readonly directory: string;
  readonly client: Client;
  /** What was asked for otherwise than by the client. */
  readonly operations: Operation[] = [];
  readonly #violations: string[] = [];
  #acknowledged = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.client = new Client(this.owner, `${directory}.log`, 1);
  }

  /** A service on the directory that is ready. */
  start(flags: readonly string[] = [], surroundings: Surroundings = {}): Promise<ChildService> {
    return ChildService.start(this.owner, this.directory, flags, surroundings);
  }

  /** Begins one without waiting for anything. */
  launch(flags: readonly string[] = [], surroundings: Surroundings = {}): ChildService {
    return ChildService.launch(this.owner, this.directory, flags, surroundings);
  }

  /** Lets the client work; resolves when the load has ended. */
  async load(load: Load): Promise<LoadResult> {
    const result = await this.client.load(load);
    this.#acknowledged += result.acknowledged;
    return result;
  }

  /** So many writes from a few connections, each of which must be acknowledged. */
  async writeCalmly(port: number, writes: number, host = '127.0.0.1'): Promise<void> {
    const { acknowledged, unknown, statuses } = await this.load({
      ...{ port, host, connections: 4, products: 10, readPercent: 0, onBroken: 'again' },
      // What was sent before may still stand in the queue, and a calm client waits for its turn.
      isInsisting: true,
      writesMax: writes,
    });
    this.expect(
      acknowledged >= writes && unknown === 0,
      `of ${writes} calm writes ${acknowledged} were acknowledged, ${unknown} broken off: ${JSON.stringify(statuses)}`,
    );
  }

  /** A stop that must be clean. */
  async stop(service: ChildService): Promise<void> {
    const { code, signal } = await service.kill('SIGTERM');
    this.expect(code === 0, `a stop ended with ${code ?? signal}`);
  }

  /** A violation of the trial's unless it holds. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#violations.push(otherwise);
  }

  async evidence(checker: Checker, state: StoreState): Promise<Evidence> {
    const { directory, operations } = this;
    const logs = [this.client.log];
    const checked = await checker.check({ store: { directory }, state, logs, operations });
    const { lost, phantom, violations } = checked;
    const others = operations.filter(
      (operation) => operation.op === 'write' && operation.outcome.kind === 'acknowledged',
    );
    return {
      ...{ lost, phantom, acknowledged: this.#acknowledged + others.length },
      violations: [...this.#violations, ...violations],
    };
  }

  /** Ends all that runs in it and takes it from the disk. */
  async remove(): Promise<void> {
    await this.owner.end();
    await rm(this.directory, { recursive: true, force: true });
    await rm(this.client.log, { force: true });
  }
}
