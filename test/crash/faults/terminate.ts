import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService } from '../../support/child-service.ts';
import type { StoreState } from '../checker.ts';
import type { LoadResult } from '../client.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { RawConnection } from '../raw-connection.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const trials = { quick: 10, soak: 100 };

const kinds = [
  'keep-alive clients',
  'pipelined requests',
  'a body that trickles in',
  'an answer that nobody reads',
  'a second SIGTERM',
  'a deadline that passes',
] as const;

export const terminate: Fault = {
  id: 'F20',
  title: 'SIGTERM under load',
  needs: [],
  run(run) {
    const names = Array.from(
      { length: trials[run.size] },
      (_, index) => `${kinds[index % kinds.length]}, ${index}`,
    );
    return runStoreTrials(run, names, (store, index) => {
      const kind = kinds[index % kinds.length];
      const isCutShort = kind === 'a second SIGTERM' || kind === 'a deadline that passes';
      return isCutShort ? stopCutShort(store, run, kind) : stopInTime(store, run, kind);
    });
  },
};

/** What another client than the usual ones does while the service stops. */
interface Beside {
  /** Called when the service has ended. */
  finish(): Promise<void>;
}

async function stopInTime(
  store: TrialStore,
  run: FaultRun,
  kind: (typeof kinds)[number] | undefined,
): Promise<StoreState> {
  const service = await store.start();
  const load = await loadFor(store, run, service);
  const beside = await begin(kind, store, service.port);
  await store.stop(service);
  await beside.finish();
  // A connection that the kernel took on when the listener was closed was never seen by the service.
  const { unknown, unansweredReads, brokenAtFirst } = await load.ended;
  const unanswered = unknown + unansweredReads - brokenAtFirst;
  store.expect(unanswered === 0, `${unanswered} requests were accepted and not answered`);
  return 'stopped';
}

/** The forced end gives up the answers, and nothing that was acknowledged; the next start mends the rest. */
async function stopCutShort(
  store: TrialStore,
  run: FaultRun,
  kind: 'a second SIGTERM' | 'a deadline that passes',
): Promise<StoreState> {
  const isLate = kind === 'a deadline that passes';
  const service = await store.start(isLate ? ['--shutdown-timeout-ms', '200'] : []);
  const load = await loadFor(store, run, service);
  const unfinished = await Trickle.begin(store, service.port);
  service.signal('SIGTERM');
  await service.logLine('stopping');
  const more = isLate ? undefined : setInterval(() => service.signal('SIGTERM'), 100);
  const { code, signal } = await service.exited;
  clearInterval(more);
  store.expect(code === 1, `a stop that was cut short ended with ${code ?? signal}`);
  unfinished.giveUp();
  await load.ended;

  const next = await store.start();
  await store.writeCalmly(next.port, 20);
  await store.stop(next);
  return 'stopped';
}

async function loadFor(
  store: TrialStore,
  { random }: FaultRun,
  { port }: ChildService,
): Promise<{ readonly ended: Promise<LoadResult> }> {
  const ended = store.load({ port, connections: 20, products: 10, onBroken: 'end' });
  await delay(200 + random.integer(200));
  return { ended };
}

async function begin(
  kind: (typeof kinds)[number] | undefined,
  store: TrialStore,
  port: number,
): Promise<Beside> {
  if (kind === 'pipelined requests') return Pipeline.begin(store, port);
  if (kind === 'a body that trickles in') return Trickle.begin(store, port);
  if (kind === 'an answer that nobody reads') return beginUnread(store, port);
  return { async finish() {} };
}

/** Requests in bursts, each burst written at once. */
class Pipeline implements Beside {
  readonly #store: TrialStore;
  readonly #connection: RawConnection;
  readonly #ended: Promise<void>;

  private constructor(store: TrialStore, connection: RawConnection) {
    this.#store = store;
    this.#connection = connection;
    this.#ended = this.#run();
  }

  static async begin(store: TrialStore, port: number): Promise<Pipeline> {
    const connection = await RawConnection.open(store.owner, port, 'pipelined');
    connection.read();
    const pipeline = new Pipeline(store, connection);
    await connection.answered(1);
    return pipeline;
  }

  /** Requests behind an answer that says `Connection: close` have none, and the client knows it. */
  async finish(): Promise<void> {
    await this.#ended;
    this.#store.operations.push(...this.#connection.operations());
    const last = this.#connection.answers().at(-1);
    const isTold = last !== undefined && /^connection: close/im.test(last.head);
    this.#store.expect(isTold, `pipelined requests were cut off after ${last?.head}`);
  }

  async #run(): Promise<void> {
    const connection = this.#connection;
    for (let asked = 8; !connection.isClosed; asked += 8) {
      connection.write(Array.from({ length: 8 }, () => connection.nextRequest()).join(''));
      await connection.answered(asked);
    }
  }
}

/** A request whose body comes byte by byte, and is not whole when the stop begins. */
class Trickle implements Beside {
  readonly #store: TrialStore;
  readonly #connection: RawConnection;
  readonly #timer: NodeJS.Timeout;

  private constructor(store: TrialStore, connection: RawConnection, text: string) {
    this.#store = store;
    this.#connection = connection;
    const headEnd = text.indexOf('\r\n\r\n') + 4;
    connection.write(text.slice(0, headEnd));
    let written = headEnd;
    this.#timer = setInterval(() => {
      connection.write(text.slice(written, written + 1));
      written += 1;
    }, 50);
  }

  /** Resolves when the service waits for the body. */
  static async begin(store: TrialStore, port: number): Promise<Trickle> {
    const connection = await RawConnection.open(store.owner, port, 'trickled');
    connection.read();
    const text = connection.nextRequest('Expect: 100-continue\r\n');
    const trickle = new Trickle(store, connection, text);
    await connection.continued();
    return trickle;
  }

  async finish(): Promise<void> {
    await this.#connection.closed();
    clearInterval(this.#timer);
    this.#store.operations.push(...this.#connection.operations());
    const [answer] = this.#connection.answers();
    this.#store.expect(answer?.status === 202, `a trickled request got ${answer?.status}`);
  }

  /** The service has ended without it. */
  giveUp(): void {
    clearInterval(this.#timer);
    this.#store.operations.push(...this.#connection.operations());
  }
}

/** Its answers wait in the kernel, and must not hold up the stop. */
async function beginUnread(store: TrialStore, port: number): Promise<Beside> {
  const connection = await RawConnection.open(store.owner, port, 'unread');
  connection.write(connection.nextRequest());
  connection.write(connection.nextRequest());
  return {
    async finish() {
      connection.read();
      await connection.closed();
      store.operations.push(...connection.operations());
    },
  };
}
