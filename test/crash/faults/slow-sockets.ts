import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import { Client, type Load, type LoadResult } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { converse } from '../fuzz/conversation.ts';

const slowSockets = 500;

/** So many must be there when a round ends: fewer may be missing than there are of the rarest kind. */
const slowSocketsMin = 496;

/** Pairs of rounds, without and with slow sockets beside the good clients. */
const rounds = { quick: 3, soak: 8 };
/** So long a request may take as well, so that the service refuses the slow sockets while it is measured. */
const roundMs = 1500;

/** How often a tenth of the slow sockets that ask send a byte each. On a slow machine they, and rounds, are as much slower. */
const bytesEveryMs = 10;

/** In a process of its own, so that what it takes to be slow does not slow it down. */
const goodLoad = { connections: 10, products: 1000, readPercent: 50, onBroken: 'end' } as const;

/** One in so many takes none of its answers; the others are slow to ask, half of them with a body. */
const readersEvery = 100;

/** More than the buffers of a connection take, at 100 kB each. */
const pipelinedReads = 40;

/** How much slower the slowest good answers may be beside slow sockets. */
const slowdownMax = 3;

/** The most time between the first byte of a header section that never ends and its 408, at default settings. */
const refusalMsMax = 12_000;

const head = 'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const bigRead = 'GET /api/query?pageSize=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n';

export const slowSocketsFault: Fault = {
  id: 'F22s',
  title: '500 slow sockets beside good clients',
  needs: [],
  isTimed: true,
  async run(run) {
    const { owner } = run;
    const flags = ['--request-timeout-ms', String(Math.round(roundMs * run.pace))];
    const service = await ChildService.start(owner, join(run.directory, 'store'), flags);
    const client = new Client(owner, join(run.directory, 'client.log'), 1);
    const good: Load = { port: service.port, ...goodLoad };
    await client.load({ ...good, readPercent: 0, writesMax: 3000 });
    await run.trial('good clients keep their speed', () => compareSpeeds(run, client, good));
    await service.kill('SIGKILL');
    const other = await ChildService.start(owner, join(run.directory, 'other store'));
    await run.trial('slow headers are 408', () => timeRefusal(run, other));
  },
};

/**
 * Rounds without and with slow sockets in turn, so that whatever else the machine does meets both alike.
 * A round that is not measured comes before each: it is sockets that are slow that are looked at, and
 * not the work that their first requests make.
 */
async function compareSpeeds(run: FaultRun, client: Client, good: Load): Promise<Evidence> {
  const [alone, beside]: [LoadResult[], LoadResult[]] = [[], []];
  const [open, replaced]: [number[], number[]] = [[], []];
  const ms = roundMs * run.pace;
  for (let round = 0; round < rounds[run.size]; round += 1) {
    await loadFor(ms, client, good);
    alone.push(await loadFor(ms, client, good));
    const crowd = new SlowCrowd(good.port, bytesEveryMs * run.pace);
    try {
      await crowd.connected();
      await loadFor(ms, client, good);
      const countOpen = async () => open.push((await heldOpenOn(good.port)) - good.connections);
      beside.push(await loadFor(ms, client, good, countOpen));
    } finally {
      await crowd.leave();
    }
    replaced.push(crowd.replaced);
  }
  run.note(
    `slow sockets open at the end of each round: ${open.join(', ')}, at least ${slowSocketsMin}; ` +
      `${replaced.join(', ')} were closed by the service and replaced`,
  );
  return {
    violations: [
      ...open
        .filter((count) => !(count >= slowSocketsMin))
        .map((count) => `only ${count} were slow`),
      ...[...alone, ...beside].flatMap((result) => problemsWith(result)),
      ...compare(run, 'writes', alone, beside, ({ latencyMs }) => latencyMs.p99),
      ...compare(run, 'reads', alone, beside, ({ readMs }) => readMs.p99),
    ],
  };
}

/** Beside slow sockets every good request is answered, and well. */
function problemsWith({ refused, unknown, unsent, failedReads }: LoadResult): readonly string[] {
  const isGood = refused + unknown + unsent + failedReads === 0;
  const counts = `${refused} refused, ${unknown} without an answer, ${unsent} not sent`;
  return isGood ? [] : [`of good writes ${counts}, of good reads ${failedReads} failed`];
}

function compare(
  run: FaultRun,
  requests: string,
  alone: readonly LoadResult[],
  beside: readonly LoadResult[],
  p99Of: (result: LoadResult) => number,
): readonly string[] {
  const [before, during] = [alone.map(p99Of), beside.map(p99Of)];
  const ratio = median(during) / median(before);
  run.note(
    `p99 of good ${requests}: ${format(before)} ms alone, ${format(during)} ms beside ${slowSockets} ` +
      `slow sockets; ratio of medians ${ratio.toFixed(2)}, at most ${slowdownMax}`,
  );
  return ratio <= slowdownMax ? [] : [`p99 of ${requests} rose ${ratio.toFixed(2)} times`];
}

async function timeRefusal(run: FaultRun, service: ChildService): Promise<Evidence> {
  const startedMs = performance.now();
  const { answers } = await converse(service.port, head, refusalMsMax + 5000);
  const ms = Math.round(performance.now() - startedMs);
  const status = answers[0]?.status;
  run.note(
    `a header section that never ends got ${status} after ${ms} ms, at most ${refusalMsMax}`,
  );
  const isGood = status === 408 && ms <= refusalMsMax;
  return { violations: isGood ? [] : [`slow headers got ${status} after ${ms} ms`] };
}

/** Clients that write and read by turns for a time; `beforeEnd` is done while they still do. */
async function loadFor(
  ms: number,
  client: Client,
  good: Load,
  beforeEnd?: () => Promise<unknown>,
): Promise<LoadResult> {
  const load = client.load(good);
  await delay(ms);
  await beforeEnd?.();
  client.stop();
  return load;
}

/** How many connections a listener's process has not closed, nor its clients, as Linux tells it. */
async function heldOpenOn(port: number): Promise<number> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`)));
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  return tables
    .join('')
    .split('\n')
    .filter((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return local?.endsWith(address) && state === established;
    }).length;
}

/**
 * Sockets of three kinds: headers that never end, bodies that never end, answers that are not taken.
 * One that the service closes is replaced at once by another of its kind.
 */
class SlowCrowd {
  readonly #port: number;
  readonly #sockets: net.Socket[];
  readonly #timer: NodeJS.Timeout;
  #isLeaving = false;
  /** How many the service has closed. */
  replaced = 0;

  constructor(port: number, bytesEveryMs: number) {
    this.#port = port;
    this.#sockets = Array.from({ length: slowSockets }, (_, place) => this.#open(place));
    // They take turns.
    let turn = 0;
    this.#timer = setInterval(() => {
      for (let count = 0; count < slowSockets / 10; count += 1) {
        const place = turn % slowSockets;
        if (!isReader(place)) this.#sockets[place]?.write('x');
        turn += 1;
      }
    }, bytesEveryMs);
  }

  /** Throws when one of them could not. */
  async connected(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => once(socket, 'connect')));
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    clearInterval(this.#timer);
    const closed = this.#sockets
      .filter((socket) => !socket.closed)
      .map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  }

  #open(place: number): net.Socket {
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    // One that takes no answer does not learn either that it was closed.
    if (isReader(place)) socket.pause();
    else socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#replace(place));
    socket.write(firstWords(place));
    return socket;
  }

  #replace(place: number): void {
    if (this.#isLeaving) return;
    this.replaced += 1;
    this.#sockets[place] = this.#open(place);
  }
}

function isReader(place: number): boolean {
  return place % readersEvery === 0;
}

function firstWords(place: number): string {
  if (isReader(place)) return bigRead.repeat(pipelinedReads);
  if (place % 2 === 0) return `${head}X-Slow: `;
  return `${head}Content-Length: 16000\r\n\r\n{"productId":"`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function format(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(', ');
}
