import type { PriceRecord } from '../../src/model/price-record.ts';
import type { Timestamp } from '../../src/model/timestamp.ts';
import type { RecordSequence } from '../../src/storage/record-sequence.ts';
import { noon, price, RecordSource } from './records.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Records in an array, which remembers how many each slice asked for. */
export class RecordList implements RecordSequence {
  readonly records: readonly PriceRecord[];
  readonly sliceLengths: number[] = [];

  constructor(records: readonly PriceRecord[]) {
    this.records = records;
  }

  get length(): number {
    return this.records.length;
  }

  async indexAt(timestamp: Timestamp): Promise<number> {
    return this.records.filter((record) => record.timestamp < timestamp).length;
  }

  async indexOfSeq(seq: number): Promise<number> {
    return this.records.filter((record) => record.seq < seq).length;
  }

  async slice(start: number, end: number): Promise<readonly PriceRecord[]> {
    this.sliceLengths.push(end - start);
    return this.records.slice(start, end);
  }
}

/** Records of one product from noon on, few microseconds apart or none, with prices of any digits, 3.5 and 3.50 among them. */
export function randomRecords(random: SeededRandom, count: number): readonly PriceRecord[] {
  const source = new RecordSource();
  let timestamp = noon;
  return Array.from({ length: count }, () => source.batch('a'))
    .flat()
    .map((record) => {
      timestamp = (timestamp + random.integer(6) * random.integer(3)) as Timestamp;
      const fraction = String(random.integer(1_000_000)).slice(0, 1 + random.integer(6));
      const few = random.pick(['3.5', '3.50', '3', '10.0', '9.999999']);
      const newPrice = price(
        random.integer(3) === 0 ? few : `${1 + random.integer(12)}.${fraction}`,
      );
      return { ...record, timestamp, newPrice };
    });
}
