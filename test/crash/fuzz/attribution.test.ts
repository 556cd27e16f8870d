import test from 'ava';
import type { RawAnswer } from '../../support/raw-answers.ts';
import type { StoredRecord } from '../checker/stored-record.ts';
import { Attribution } from './attribution.ts';
import { isWellFramed } from './is-well-framed.ts';

test('a record is no phantom when its request was acknowledged with its seq, or may have got no answer', (t) => {
  const attribution = new Attribution();
  attribution.take([reprice('1.25'), reprice('2.25')], broken(accepted(1)));

  const { acknowledged, lost, phantoms } = attribution.compare([
    record(1, '1.25'),
    record(2, '2.25'),
  ]);

  t.deepEqual({ acknowledged, lost, phantoms }, { acknowledged: 1, lost: [], phantoms: [] });
});

test('a record of a refused request is a phantom, however many others got no answer', (t) => {
  const attribution = new Attribution();
  const others = [reprice('2.25'), reprice('3.25')];
  attribution.take([reprice('1.25'), ...others], broken(refused));

  const { phantoms } = attribution.compare([record(1, '1.25')]);

  t.deepEqual(phantoms, [record(1, '1.25')]);
});

test('a record of a request behind the last answer that the service gave is a phantom', (t) => {
  const attribution = new Attribution();
  attribution.take([reprice('1.25'), reprice('2.25')], ended(accepted(1)));

  const { phantoms } = attribution.compare([record(1, '1.25'), record(2, '2.25')]);

  t.deepEqual(phantoms, [record(2, '2.25')]);
});

test('a record of a price that nobody asked for is a phantom, and so is a second one of one request', (t) => {
  const attribution = new Attribution();
  attribution.take([reprice('1.25')], broken());

  const records = [record(1, '1.25'), record(2, '1.25'), record(3, '7.25')];
  const { phantoms } = attribution.compare(records);

  t.deepEqual(phantoms, records.slice(1));
});

test('an acknowledged write whose seq has the record of another request is lost', (t) => {
  const attribution = new Attribution();
  attribution.take([reprice('1.25'), reprice('2.25')], ended(refused, accepted(1)));

  const { lost, phantoms } = attribution.compare([record(1, '1.25')]);

  t.is(lost.length, 1);
  t.deepEqual(phantoms, []);
});

test('behind a broken framing a record may be of any request, if its conversation broke', (t) => {
  const attribution = new Attribution();
  const requests = [reprice('1.25').replace('Content-Length', 'X'), reprice('2.25')];
  attribution.take(requests, broken(refused));

  const { phantoms } = attribution.compare([record(1, '2.25'), record(2, '1.25')]);

  t.deepEqual(phantoms, []);
  t.regex(attribution.summary(), /with 1 requests that got no answer and 1 that may have got one/);
});

const good = reprice('1.25');
const framings = [
  { title: 'a good request', text: good, expected: true },
  {
    title: 'a good request without a body',
    text: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    expected: true,
  },
  { title: 'a length too short', text: `${good}x`, expected: false },
  { title: 'a length too long', text: good.slice(0, -1), expected: false },
  {
    title: 'a length said twice',
    text: good.replace('Host: x', 'Content-Length: 3'),
    expected: false,
  },
  { title: 'chunks', text: good.replace('Host: x', 'Transfer-Encoding: chunked'), expected: false },
  {
    title: 'ends of lines that not all take for one',
    text: good.replaceAll('\r\n', '\n'),
    expected: false,
  },
  { title: 'a line that is folded', text: good.replace('Host', ' Host'), expected: false },
  { title: 'nothing', text: '', expected: false },
];

for (const { title, text, expected } of framings) {
  test(`where a request ends is ${expected ? 'certain' : 'not certain'}: ${title}`, (t) => {
    t.is(isWellFramed(text), expected);
  });
}

function reprice(price: string): string {
  const body = `{"productId":"p","price":${price}}`;
  return `POST /api/reprice HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const refused: RawAnswer = { status: 400, head: '', body: '' };

/** The first version of a product is `seq` here as well. */
function accepted(seq: number): RawAnswer {
  const fields = `Repricer-Seq: ${seq}\r\nETag: "${seq}"\r\nLocation: /api/product/p/price\r\n`;
  return { status: 202, head: `HTTP/1.1 202 Accepted\r\n${fields}\r\n`, body: '' };
}

function ended(...answers: readonly RawAnswer[]) {
  return { answers, isComplete: true, isHanging: false };
}

function broken(...answers: readonly RawAnswer[]) {
  return { answers, isComplete: false, isHanging: false };
}

function record(seq: number, newPrice: string): StoredRecord {
  return {
    ...{ seq, batch: seq, batchSize: 1, productId: 'p', version: seq },
    ...{ previousPrice: null, newPrice, timestamp: '', line: '' },
  };
}
