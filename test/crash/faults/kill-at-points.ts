import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { recoverTwice } from '../recover-twice.ts';
import { Shim, type ShimOperation } from '../shim.ts';
import { both, storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';

/** Kills before and after each point. */
const killsPerPoint = { quick: 3, soak: 12 };

/** Enough for every point to be reached often. */
const writesMax = 5000;

interface Point {
  readonly name: string;
  readonly operation: ShimOperation;
  /** A part of the path that the call is made on; sockets have paths too. */
  readonly path: string;
}

const points: readonly Point[] = [
  { name: 'the creation of a segment', operation: 'open', path: '.ndjson.open' },
  { name: 'the write of a batch', operation: 'write', path: '.ndjson.open' },
  { name: 'the sync of a batch', operation: 'fdatasync', path: '.ndjson.open' },
  { name: 'an answer', operation: 'write', path: 'socket:' },
  { name: 'the sealing of a segment', operation: 'rename', path: '/results/' },
  { name: 'the sync of a directory of segments', operation: 'fsync', path: '/results/' },
  { name: 'a line of the manifest', operation: 'write', path: 'manifest' },
  { name: 'the sync of the manifest', operation: 'fdatasync', path: 'manifest' },
  { name: 'an append to a product file', operation: 'write', path: '/results_by_product/' },
  { name: 'the sync of a product file', operation: 'fdatasync', path: '/results_by_product/' },
  { name: 'the write of a checkpoint', operation: 'write', path: 'checkpoint' },
  { name: 'the sync of a checkpoint', operation: 'fdatasync', path: 'checkpoint' },
  { name: 'the replacement of the checkpoint', operation: 'rename', path: 'checkpoint' },
];

export const killAtPoints: Fault = {
  id: 'F2',
  title: 'SIGKILL before and after each kind of call that makes data durable',
  needs: ['compiler'],
  async run(run) {
    const { owner, checker } = run;
    const shim = Shim.compile(run.directory);
    let number = 0;
    for (const point of points) {
      for (const when of ['before', 'after'] as const) {
        number += 1;
        const store = new PointStore(run, owner, checker, shim, number);
        for (let kill = 0; kill < killsPerPoint[run.size]; kill += 1) {
          await run.trial(`${when} ${point.name}, ${kill}`, () => store.trial(point, when));
        }
        await run.trial(`two recoveries after ${point.name}`, () => store.recoverTwice());
      }
    }
  },
};

/** A store on which all kills of one point fall, each start meeting what the kill before left. */
class PointStore {
  readonly #run: FaultRun;
  readonly #owner: TrialOwner;
  readonly #checker: Checker;
  readonly #shim: Shim;
  readonly #client: Client;
  readonly #directory: string;

  constructor(run: FaultRun, owner: TrialOwner, checker: Checker, shim: Shim, number: number) {
    this.#run = run;
    this.#owner = owner;
    this.#checker = checker;
    this.#shim = shim;
    this.#directory = join(run.directory, `store-${number}`);
    this.#client = new Client(owner, `${this.#directory}.log`, number);
  }

  async trial({ operation, path }: Point, kill: 'before' | 'after'): Promise<Evidence> {
    const fault = this.#shim.plan({ operations: [operation], path, kill });
    try {
      const flags = ['--segment-bytes-max', '4096', '--flush-interval-ms', '1'];
      const service = await ChildService.start(
        this.#owner,
        this.#directory,
        [...flags, '--checkpoint-interval-ms', '1'],
        fault.surroundings,
      );
      fault.arm(1 + this.#run.random.integer(20), 1);
      const load = this.#client.load({
        port: service.port,
        connections: this.#run.random.pick([1, 5, 20]),
        products: 5,
        onBroken: 'end',
        writesMax,
      });
      const { acknowledged } = await load;
      // A point that no call came to is a mistake of the suite's, and must show.
      service.signal('SIGTERM');
      const { signal } = await service.exited;
      const evidence = await storeEvidence(
        this.#checker,
        this.#directory,
        'crashed',
        [this.#client.log],
        acknowledged,
      );
      const misses = signal === 'SIGKILL' ? [] : [`it ended with ${signal}, not killed`];
      return both(evidence, { violations: misses });
    } finally {
      fault.close();
    }
  }

  recoverTwice(): Promise<Evidence> {
    return recoverTwice(this.#owner, this.#checker, this.#directory, [this.#client.log]);
  }
}
