import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import { Client, type Load } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { converse } from '../fuzz/conversation.ts';

const slowSockets = 500;

/** Pairs of rounds, without and with slow sockets beside the good clients. */
const rounds = { quick: 3, soak: 15 };
const roundMs = 1500;
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
    const service = await ChildService.start(owner, join(run.directory, 'store'));
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
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds[run.size]; round += 1) {
    await p99Of(client, good);
    alone.push(await p99Of(client, good));
    const crowd = await SlowCrowd.gather(good.port);
    try {
      await p99Of(client, good);
      beside.push(await p99Of(client, good));
    } finally {
      await crowd.leave();
    }
  }
  const ratio = median(beside) / median(alone);
  run.note(
    `p99 of good clients: ${format(alone)} ms alone, ${format(beside)} ms beside ${slowSockets} ` +
      `slow sockets; ratio of medians ${ratio.toFixed(2)}, at most ${slowdownMax}`,
  );
  return { violations: ratio <= slowdownMax ? [] : [`p99 rose ${ratio.toFixed(2)} times`] };
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

/** The 99th percentile of the time to an answer, in milliseconds, of clients that write and read by turns. */
async function p99Of(client: Client, good: Load): Promise<number> {
  const load = client.load(good);
  await delay(roundMs);
  client.stop();
  const { unknown, latencyMs } = await load;
  if (unknown > 0) throw new Error(`${unknown} good writes got no answer`);
  return latencyMs.p99;
}

/** Sockets of three kinds: headers that never end, bodies that never end, answers that are not taken. */
class SlowCrowd {
  readonly #sockets: readonly net.Socket[];
  readonly #timer: NodeJS.Timeout;

  private constructor(sockets: readonly net.Socket[]) {
    this.#sockets = sockets;
    const tricklers = sockets.filter((_, index) => index % readersEvery !== 0);
    // Every one sends a byte about ten times a second, and they take turns.
    let turn = 0;
    this.#timer = setInterval(() => {
      for (let count = 0; count < tricklers.length / 10; count += 1) {
        tricklers[turn % tricklers.length]?.write('x');
        turn += 1;
      }
    }, 10);
  }

  static async gather(port: number): Promise<SlowCrowd> {
    const sockets = Array.from({ length: slowSockets }, () => slowSocket(port));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const [index, socket] of sockets.entries()) {
      if (index % readersEvery === 0) socket.write(bigRead.repeat(pipelinedReads));
      else if (index % 2 === 0) socket.write(`${head}X-Slow: `);
      else socket.write(`${head}Content-Length: 16000\r\n\r\n{"productId":"`);
    }
    return new SlowCrowd(sockets);
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    const closed = this.#sockets
      .filter(({ closed }) => !closed)
      .map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  }
}

/** One that reads nothing, and that may be refused and closed at any time. */
function slowSocket(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.pause();
  socket.on('error', () => socket.destroy());
  return socket;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function format(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(', ');
}
