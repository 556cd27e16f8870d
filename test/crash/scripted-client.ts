import { type Answer, BrokenConnection, type ChildService } from '../support/child-service.ts';
import type { Operation } from './operation.ts';
import { outcomeOf } from './write-outcome.ts';

/** A write's answer; undefined when there was none. */
export type WriteAnswer = Answer | undefined;

/**
 * Writes what a trial tells it to, one store's history long, and remembers what it was told. For
 * faults that leave this process alone; others need a `Client`.
 */
export class ScriptedClient {
  readonly operations: Operation[] = [];
  #writes = 0;

  /** Writes a price of its own to each of these products, all at once. */
  writeAll(service: ChildService, productIds: readonly string[]): Promise<readonly WriteAnswer[]> {
    return Promise.all(productIds.map((productId) => this.write(service, productId)));
  }

  async write(service: ChildService, productId: string): Promise<WriteAnswer> {
    this.#writes += 1;
    const price = `${this.#writes}.25`;
    const sent = `${process.hrtime.bigint()}`;
    const answer = await answerOf(service.reprice(productId, price));
    const done = `${process.hrtime.bigint()}`;
    this.operations.push({ op: 'write', productId, price, sent, done, outcome: outcomeOf(answer) });
    return answer;
  }

  /** The current price, whatever the answer is. */
  async read(service: ChildService, productId: string): Promise<Answer | undefined> {
    const sent = `${process.hrtime.bigint()}`;
    const answer = await answerOf(service.get(`/api/product/${productId}/price`));
    const done = `${process.hrtime.bigint()}`;
    if (answer?.status === 200) {
      const version = Number(/"version":(\d+)/.exec(answer.body)?.[1]);
      const price = /"price":([\d.]+)/.exec(answer.body)?.[1] ?? null;
      this.operations.push({ op: 'read', productId, price, version, sent, done });
    }
    return answer;
  }
}

/** Undefined for a connection that broke. */
async function answerOf(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BrokenConnection) return undefined;
    throw error;
  }
}

/** How many of the answers are a 202. */
export function acknowledgedIn(answers: readonly WriteAnswer[]): number {
  return answers.filter((answer) => answer?.status === 202).length;
}
