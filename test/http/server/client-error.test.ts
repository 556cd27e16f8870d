import { Duplex } from 'node:stream';
import test from 'ava';
import { answerClientError } from '../../../src/http/server/client-error.ts';

/** A connection that keeps what is written to it. */
class RecordedConnection extends Duplex {
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

function connection(): RecordedConnection {
  const socket = new RecordedConnection();
  // As node:http does before it hands a connection over.
  socket.on('error', () => {});
  return socket;
}

function errorOf(code: string): Error {
  return Object.assign(new Error('secret'), { code });
}

test('a refusal says why in a problem, shows nothing of the error, and is the last that is written', (t) => {
  const socket = connection();
  t.teardown(() => socket.destroy());

  answerClientError(errorOf('HPE_INVALID_METHOD'), socket);

  t.regex(socket.written, /^HTTP\/1.1 400 Bad Request\r\n/);
  t.regex(socket.written, /\r\n\r\n\{"type":"\/problems\/bad-request",/);
  t.false(socket.written.includes('secret'));
  t.true(socket.writableEnded);
});

test('a connection that the client reset is ended without an answer', (t) => {
  const socket = connection();

  answerClientError(errorOf('ECONNRESET'), socket);

  t.is(socket.written, '');
  t.true(socket.destroyed);
});

test('a connection that takes no more is ended without an answer', (t) => {
  const socket = connection();
  socket.end();
  const error = errorOf('HPE_INVALID_METHOD');

  answerClientError(error, socket);

  t.is(socket.written, '');
  t.is(socket.errored, error);
});
