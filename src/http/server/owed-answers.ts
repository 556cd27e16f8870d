import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface OwedAnswersLimits {
  /** How many answers one connection may wait for; the last of them ends it. */
  readonly pipelinedMax: number;
  /** How many requests one connection may bring; the answer to the last of them ends it. */
  readonly requestsMax: number;
}

/**
 * Which answers each connection still waits for.
 *
 * Invariant: no request is served that came behind an answer which ends its connection. Its answer
 * could not be sent any more, and a client may take it for one that was never served (RFC 9112,
 * section 9.6).
 */
export class OwedAnswers {
  readonly #limits: OwedAnswersLimits;
  readonly #connections = new WeakMap<Duplex, Connection>();

  constructor(limits: OwedAnswersLimits) {
    this.#limits = limits;
  }

  /** Whether the request is to be served; otherwise its connection ends without an answer to it. */
  add(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#connectionOf(request.socket);
    const { owed } = connection;
    for (const earlier of owed)
      if (awaitsContinue(earlier)) earlier.setHeader('Connection', 'close');
    if (connection.isEnding) return false;
    for (const earlier of owed) if (endsConnection(earlier)) return false;
    connection.requests += 1;
    owed.push(response);
    if (
      owed.length === this.#limits.pipelinedMax ||
      connection.requests === this.#limits.requestsMax
    ) {
      response.setHeader('Connection', 'close');
    }
    // A listener of `close` instead would keep requests until the next full collection, so that each
    // collection of young objects takes 20 ms and not 1 (Node 24). One that breaks off ends its connection.
    response.on('finish', () => {
      owed.splice(owed.indexOf(response), 1);
      if (!request.complete) connection.unread = request;
      if (endsConnection(response)) connection.isEnding = true;
    });
    return true;
  }

  /**
   * Ends a connection that brought something broken, once the whole requests before it have their
   * answers: a client takes the first answer for that to its first request, so a refusal sent while
   * a good write is being served would tell of a failure that was none.
   *
   * `end` is told whether an answer may be sent: not when the broken request already has one, as a
   * body that is too long has before all of it came, or one that was late and came whole all the same
   * while those before it were served.
   */
  end(socket: Duplex, end: (mayAnswer: boolean) => void): void {
    const connection = this.#connectionOf(socket);
    if (connection.isEnding) return;
    connection.isEnding = true;
    const broken = connection.owed.find(({ req }) => !req.complete);
    if (broken?.headersSent === false) broken.setHeader('Connection', 'close');
    const isAnswered = () =>
      broken?.req.complete === true ||
      connection.unread?.complete === false ||
      connection.owed.some((one) => one.headersSent);
    const endBehindLast = () => {
      const last = connection.owed.findLast(({ req }) => req.complete);
      if (last === undefined) end(!isAnswered());
      else last.once('close', () => endsConnection(last) || endBehindLast());
    };
    endBehindLast();
  }

  #connectionOf(socket: Duplex): Connection {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const owed: ServerResponse[] = [];
    const connection = { owed, unread: undefined, requests: 0, isEnding: false };
    this.#connections.set(socket, connection);
    return connection;
  }
}

interface Connection {
  /** In the order of their requests. */
  readonly owed: ServerResponse[];
  /** The last request that was not there to its end when it had its answer; it may be by now. */
  unread: IncomingMessage | undefined;
  requests: number;
  isEnding: boolean;
}

/**
 * Node ends the connection behind an answer that had no `100 Continue` before it, and that is known too
 * late for what comes behind. A client that waits for it sends nothing more, so none is hurt that does.
 */
function awaitsContinue({ req, headersSent }: ServerResponse): boolean {
  return !headersSent && req.headers.expect !== undefined;
}

/** Node closes the connection behind this answer, because the client asked for it or we do. */
function endsConnection(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader('Connection') === 'close';
}
