import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import type { RawAnswer } from '../../support/raw-answers.ts';
import { readJournal } from '../checker/read-journal.ts';
import { readStore } from '../checker/stored-files.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { Attribution } from '../fuzz/attribution.ts';
import { type Conversation, converse } from '../fuzz/conversation.ts';
import { namePhantoms } from '../fuzz/name-phantoms.ts';
import { scriptOf } from '../fuzz/script.ts';
import type { TrialOwner } from '../trial-owner.ts';

/** How many processes are fuzzed one after the other, and how many requests each has to answer. */
const sizes = {
  quick: { trials: 2, answers: 10_000 },
  soak: { trials: 4, answers: 250_000 },
};

const connections = 64;

/** Far above what it needs (about 150 MB), and far below what a leak of a kilobyte a request would take. */
const residentBytesMax = 400 * 1024 * 1024;

/** Ends every conversation that nothing has ended before. */
const lastRequest =
  'GET /api/query?pageSize=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

export const httpAbuse: Fault = {
  id: 'F22',
  title: 'mutated HTTP requests, pipelined',
  needs: [],
  async run(run) {
    const { trials, answers } = sizes[run.size];
    for (let trial = 0; trial < trials; trial += 1) {
      const seed = run.random.integer(2 ** 32);
      await run.trial(`fuzz ${trial}`, async (owner) => {
        const directory = join(run.directory, `store-${trial}`);
        const fuzz = new Fuzz(owner, run.checker, directory, seed);
        try {
          return await fuzz.run(answers);
        } finally {
          run.note(fuzz.summary());
        }
      });
    }
  },
};

/** One process that is fuzzed, what it answered, and whether its journal agrees. */
class Fuzz {
  readonly #owner: TrialOwner;
  readonly #checker: Checker;
  readonly #directory: string;
  readonly #seed: number;
  readonly #attribution = new Attribution();
  /** Of each conversation, the statuses of its answers. */
  readonly #statuses = new Map<number, readonly number[]>();
  readonly #violations: string[] = [];
  #conversations = 0;
  #answers = 0;
  #seconds = 0;
  #residentBytes = 0;

  constructor(owner: TrialOwner, checker: Checker, directory: string, seed: number) {
    this.#owner = owner;
    this.#checker = checker;
    this.#directory = directory;
    this.#seed = seed;
  }

  /** Fuzzes until so many answers have come, stops the process, and compares its journal with them. */
  async run(answersMin: number): Promise<Evidence> {
    const flags = ['--request-timeout-ms', '200', '--queue-max', '100'];
    const service = await ChildService.start(this.#owner, this.#directory, flags);
    const startedMs = performance.now();
    const lanes = Array.from({ length: connections }, () =>
      this.#converseUntil(service, answersMin),
    );
    await Promise.all(lanes);
    this.#seconds = (performance.now() - startedMs) / 1000;
    this.#residentBytes = await residentBytesOf(service.pid);
    if (this.#residentBytes > residentBytesMax)
      this.#violations.push(`grew to ${this.#residentBytes} bytes`);

    const { status, headers } = await service.reprice('good', '1.0');
    if (status === 202) this.#attribution.takeWrite('1.0', headers);
    else this.#violations.push(`a good request after all got ${status}`);
    const { code } = await service.kill('SIGTERM');
    if (code !== 0) this.#violations.push(`a clean stop ended with code ${code}`);
    const errors = service.logLines.filter(({ level }) => level === 'error');
    this.#violations.push(...errors.map((line) => `it logged ${JSON.stringify(line)}`));
    return this.#compare();
  }

  /** Figures for the reader. */
  summary(): string {
    const counts = new Map<number, number>();
    for (const status of [...this.#statuses.values()].flat()) {
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    const statuses = [...counts].sort(([a], [b]) => a - b).map((pair) => pair.join(': '));
    const rate = Math.round(this.#answers / this.#seconds);
    const megabytes = Math.round(this.#residentBytes / 1024 / 1024);
    return (
      `${this.#answers} answers, ${rate} a second, ${megabytes} MiB; ${statuses.join(', ')}; ` +
      this.#attribution.summary()
    );
  }

  async #converseUntil(service: ChildService, answersMin: number): Promise<void> {
    while (this.#answers < answersMin) {
      this.#conversations += 1;
      const number = this.#conversations;
      const requests = [...scriptOf(this.#seed, number), lastRequest];
      this.#take(number, requests, await converse(service.port, requests.join('')));
    }
  }

  #take(number: number, requests: readonly string[], conversation: Conversation): void {
    const { answers, isHanging } = conversation;
    const finals = answers.filter(({ status }) => status >= 200);
    this.#answers += finals.length;
    this.#statuses.set(
      number,
      finals.map(({ status }) => status),
    );
    this.#attribution.take(requests, conversation);
    const problems = answers.flatMap((answer) => problemWith(answer) ?? []);
    if (isHanging)
      problems.push(`silence after ${answers.length} answers to ${requests.length} requests`);
    if (problems.length > 0) {
      const text = JSON.stringify(requests.join('')).slice(0, 5000);
      this.#violations.push(`${problems.join('; ')} – sent: ${text}`);
    }
  }

  async #compare(): Promise<Evidence> {
    const { violations } = await this.#checker.check({
      store: { directory: this.#directory },
      state: 'stopped',
    });
    const { records } = readJournal(await readStore({ directory: this.#directory }), 'stopped');
    const { acknowledged, lost, phantoms } = this.#attribution.compare(records);
    const named = namePhantoms(phantoms, this.#seed, this.#statuses);
    return {
      acknowledged,
      lost: lost.length,
      phantom: phantoms.length,
      violations: [...this.#violations, ...lost.slice(0, 20), ...named, ...violations],
    };
  }
}

/** Answers that say that the service is busy, which is no fault. */
const busy = /"type":"\/problems\/(?:queue-full|too-many-reads)"/;

/** What is wrong with an answer to any request whatever; undefined when nothing is. */
function problemWith({ status, head, body }: RawAnswer): string | undefined {
  if (status >= 500 && !(status === 503 && busy.test(body))) return `${status} ${body}`;
  if (status < 400) return undefined;
  if (!/\r\ncontent-type: application\/problem\+json\r\n/i.test(head)) return `no problem: ${head}`;
  if (/\bat .*:\d+:\d+/.test(body)) return `a stack: ${body}`;
  return undefined;
}

/** The most that was in memory at any time, as Linux tells it. */
async function residentBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
