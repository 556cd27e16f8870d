import { EventEmitter } from 'node:events';
import test from 'ava';
import type { Connection } from '../../src/access/client-connections.ts';
import { ClientStatistics } from '../../src/access/client-statistics.ts';

/** Moves bytes when a test says so. */
class FakeConnection extends EventEmitter implements Pick<Connection, 'bytesRead'> {
  closed = false;
  bytesRead = 0;
  bytesWritten = 0;

  move(received: number, sent: number): void {
    this.bytesRead += received;
    this.bytesWritten += sent;
  }
}

function count() {
  const clock = { nowMs: 1000 };
  const statistics = new ClientStatistics(undefined, () => clock.nowMs);
  const request = (name: string | undefined, connection = new FakeConnection()) =>
    // The rest of a socket is not asked for.
    statistics.countRequest(name, connection as unknown as Connection);
  return { clock, statistics, request };
}

const nothing = { accepted: 0, read: 0, refused: new Map() };

test('each client has what it asked for and got, and all without a known token are one', (t) => {
  const { statistics, request } = count();

  request('crawler').addTally({ accepted: 2, read: 0, refused: new Map([['BAD_REQUEST', 1]]) });
  request('crawler').addTally({ ...nothing, refused: new Map([['BAD_REQUEST', 2]]) });
  request(undefined).addTally({ ...nothing, read: 1 });
  request(undefined).addTally({ ...nothing, refused: new Map([['UNAUTHENTICATED', 1]]) });

  const bytes = { receivedBytes: 0, sentBytes: 0 };
  const lastSeen = '1970-01-01T00:00:01.000Z';
  t.deepEqual(statistics.counted, {
    since: lastSeen,
    clients: [
      {
        name: null,
        requests: 2,
        accepted: 0,
        read: 1,
        refused: { UNAUTHENTICATED: 1 },
        ...bytes,
        lastSeen,
      },
      {
        name: 'crawler',
        requests: 2,
        accepted: 2,
        read: 0,
        refused: { BAD_REQUEST: 3 },
        ...bytes,
        lastSeen,
      },
    ],
  });
});

test('bytes are counted once, for the client whose request came last, to the end of the connection', (t) => {
  const { statistics, request } = count();
  const connection = new FakeConnection();
  const bytes = () =>
    statistics.counted.clients.map(({ name, receivedBytes, sentBytes }) => [
      name,
      receivedBytes,
      sentBytes,
    ]);

  connection.move(100, 0);
  request('a', connection);
  connection.move(0, 30);
  const shown = [bytes(), bytes()];
  connection.move(50, 0);
  request('b', connection);
  connection.move(0, 7);
  connection.emit('close');
  connection.move(1000, 1000);

  t.deepEqual(shown, [[['a', 100, 30]], [['a', 100, 30]]]);
  t.deepEqual(bytes(), [
    ['b', 50, 7],
    ['a', 100, 30],
  ]);
  t.is(connection.listenerCount('close'), 0);
});

test('a connection that was closed before its request was answered is counted, and not waited for', (t) => {
  const { statistics, request } = count();
  const connection = new FakeConnection();
  connection.move(100, 0);
  connection.closed = true;

  request('a', connection);
  request('a', connection);

  t.like(statistics.counted.clients[0], { requests: 2, receivedBytes: 100, sentBytes: 0 });
  t.is(connection.listenerCount('close'), 0);
});

test('a client with a stream that is still being sent is seen', (t) => {
  const { clock, statistics, request } = count();
  const connection = new FakeConnection();
  request('reader', connection);
  const lastSeen = () => statistics.counted.clients.map((client) => client.lastSeen);

  clock.nowMs = 5000;
  const quiet = lastSeen();
  connection.move(0, 14);
  const sent = lastSeen();

  t.deepEqual([quiet, sent], [['1970-01-01T00:00:01.000Z'], ['1970-01-01T00:00:05.000Z']]);
});

test('past as many clients as there may be the one that was seen the longest ago is forgotten, and a hundred are measured', (t) => {
  const { statistics, request } = count();

  for (let number = 0; number < 1001; number += 1) request(`c${number}`);
  request('c0');
  request('c1001');

  const names = statistics.counted.clients.map(({ name }) => name);
  t.is(names.length, 1001);
  t.deepEqual(names.slice(0, 2), ['c1001', 'c0']);
  t.false(names.includes('c1'));
  t.deepEqual(
    statistics.measured.map(({ name }) => name),
    Array.from({ length: 100 }, (_, number) => `c${number}`),
  );
});

test('what is measured begins with nothing at each start, so that it never goes back after a crash', (t) => {
  const before = count();
  before
    .request('crawler')
    .addTally({ accepted: 9, read: 1, refused: new Map([['QUEUE_FULL', 4]]) });
  before.request('quiet');
  const statistics = new ClientStatistics(before.statistics.counted, () => 2000);

  const connection = new FakeConnection();
  connection.move(10, 20);
  statistics
    .countRequest('crawler', connection as unknown as Connection)
    .addTally({ accepted: 1, read: 0, refused: new Map([['QUEUE_FULL', 1]]) });

  t.deepEqual(statistics.measured, [
    {
      name: 'crawler',
      ...{ requests: 1, accepted: 1, read: 0, refused: { QUEUE_FULL: 1 } },
      ...{ receivedBytes: 10, sentBytes: 20, lastSeen: '1970-01-01T00:00:02.000Z' },
    },
  ]);
  t.like(statistics.counted.clients[0], { name: 'crawler', requests: 2, accepted: 10 });
});
