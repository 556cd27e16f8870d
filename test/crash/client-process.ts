import { closeSync, openSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../support/child-service.ts';
import type { Load, LoadResult, Spread } from './client.ts';
import type { Operation } from './operation.ts';
import { outcomeOf } from './write-outcome.ts';

/* The client's process: `client-process LOG NUMBER`, then loads over the channel to its parent. */

const [, , logPath = '', clientNumber = '1'] = process.argv;

/** A price has at most 12 digits before the point: 5 for the client's number, 7 for its writes. */
const writesPerClientMax = 10_000_000;
/** Of so many writes one asks for its receipt. */
const receiptEvery = 3;

/** How often a write is sent that must be acknowledged, and how long it waits in between. */
const attemptsMax = 200;
const againMs = 20;

type Headers = Readonly<Record<string, string>>;
let writes = 0;
let isStopping = false;

process.on('message', (message: Load | 'stop') => {
  if (message === 'stop') isStopping = true;
  else void run(message).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());

async function run(load: Load): Promise<LoadResult> {
  isStopping = false;
  const running = new RunningLoad(load);
  await Promise.all(Array.from({ length: load.connections }, () => running.connection()));
  return running.finish();
}

class RunningLoad {
  readonly #load: Load;
  readonly #agent: Agent;
  readonly #log = openSync(logPath, 'a');
  readonly #statuses: Record<string, number> = {};
  readonly #latenciesMs: number[] = [];
  readonly #refusalsMs: number[] = [];
  readonly #readsMs: number[] = [];
  readonly #counts = {
    ...{ acknowledged: 0, refused: 0, unknown: 0, unsent: 0, resent: 0 },
    ...{ reads: 0, failedReads: 0, unansweredReads: 0, brokenAtFirst: 0 },
  };
  #writes = 0;

  constructor(load: Load) {
    this.#load = load;
    this.#agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  }

  /** One request after the other until the load ends. */
  async connection(): Promise<void> {
    const { readPercent = 20, onBroken, writesMax = Number.POSITIVE_INFINITY } = this.#load;
    while (!isStopping && this.#writes < writesMax) {
      const isRead = Math.random() * 100 < readPercent;
      const isAnswered = await (isRead ? this.#read() : this.#write());
      if (isAnswered) continue;
      if (onBroken === 'end') return;
      await delay(5);
    }
  }

  finish(): LoadResult {
    this.#agent.destroy();
    closeSync(this.#log);
    return {
      ...this.#counts,
      statuses: this.#statuses,
      latencyMs: spreadOf(this.#latenciesMs),
      refusalMs: spreadOf(this.#refusalsMs),
      readMs: spreadOf(this.#readsMs),
    };
  }

  async #write(): Promise<boolean> {
    this.#writes += 1;
    const productId = this.#product();
    const price = nextPrice();
    const sent = process.hrtime.bigint();
    const body = `{"productId":"${productId}","price":${price}}`;
    const headers = {
      'content-type': 'application/json',
      ...(this.#writes % receiptEvery === 0 && { prefer: 'return=representation' }),
    };
    const answer = await (this.#load.isInsisting === true
      ? this.#insist(body, { ...headers, 'idempotency-key': price })
      : this.#send('POST', '/api/reprice', headers, body));
    const done = process.hrtime.bigint();
    // A connection that was never made carried nothing.
    if (answer === 'not sent') {
      this.#counts.unsent += 1;
      return false;
    }
    const outcome = outcomeOf(answer);
    this.#counts[outcome.kind] += 1;
    this.#note({ op: 'write', productId, price, sent: `${sent}`, done: `${done}`, outcome });
    if (answer === undefined) return false;
    this.#statuses[answer.status] = (this.#statuses[answer.status] ?? 0) + 1;
    const tookMs = Number(done - sent) / 1e6;
    this.#latenciesMs.push(tookMs);
    if (outcome.kind === 'refused') this.#refusalsMs.push(tookMs);
    return true;
  }

  async #read(): Promise<boolean> {
    const productId = this.#product();
    const sent = process.hrtime.bigint();
    const answer = await this.#send('GET', `/api/product/${productId}/price`, {});
    const done = process.hrtime.bigint();
    const isAnswered = answer !== undefined && answer !== 'not sent';
    if (isAnswered) this.#readsMs.push(Number(done - sent) / 1e6);
    const known = isAnswered && answer.status === 200 ? versionAndPrice(answer.body) : undefined;
    if (known !== undefined || (isAnswered && answer.status === 404)) {
      this.#counts.reads += 1;
      const { version = 0, price = null } = known ?? {};
      this.#note({ op: 'read', productId, price, version, sent: `${sent}`, done: `${done}` });
    } else {
      this.#counts.failedReads += 1;
      if (answer === undefined) this.#counts.unansweredReads += 1;
    }
    return isAnswered;
  }

  #product(): string {
    return `p${Math.floor(Math.random() * this.#load.products)}`;
  }

  /** Synchronously, so that the log is whole whenever this process is stopped. */
  #note(operation: Operation): void {
    writeSync(this.#log, `${JSON.stringify(operation)}\n`);
  }

  /** Sends a write again and again, as a client does that must have it recorded, and once only. */
  async #insist(body: string, headers: Headers): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (attempt === 1) this.#counts.resent += 1;
      const answer = await this.#send('POST', '/api/reprice', headers, body);
      if (answer !== undefined && answer !== 'not sent' && answer.status === 202) return answer;
      await delay(againMs);
    }
    return undefined;
  }

  /** Undefined when it was sent and no whole answer came. */
  #send(
    method: string,
    path: string,
    headers: Headers,
    body?: string,
  ): Promise<Answer | 'not sent' | undefined> {
    const { port, host = '127.0.0.1', timeoutMs = 10_000 } = this.#load;
    return new Promise((resolve) => {
      const options = { host, port, method, path, agent: this.#agent, headers, timeout: timeoutMs };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('error', () => resolve(undefined));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      sent.on('timeout', () => sent.destroy());
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const neverSent = error.code === 'ECONNREFUSED' || error.syscall === 'connect';
        if (!neverSent && !sent.reusedSocket) this.#counts.brokenAtFirst += 1;
        resolve(neverSent ? 'not sent' : undefined);
      });
      sent.end(body);
    });
  }
}

function spreadOf(timesMs: readonly number[]): Spread {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** A price that no other write of any client has. */
function nextPrice(): string {
  writes += 1;
  if (writes >= writesPerClientMax) throw new Error('this client has no more prices');
  return `${clientNumber}${String(writes).padStart(7, '0')}.25`;
}

function versionAndPrice(body: string): { version: number; price: string } | undefined {
  const version = /"version":(\d+)/.exec(body)?.[1];
  const price = /"price":([\d.]+)/.exec(body)?.[1];
  if (version === undefined || price === undefined) return undefined;
  return { version: Number(version), price };
}
