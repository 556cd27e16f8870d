import { join } from 'node:path';
import { type PeerUpdate, servePeer } from './peer-front.ts';
import { openSqlite } from './sqlite.ts';

/*
 * The frame with SQLite in the same process, WAL and synchronous=FULL: each write is a transaction of
 * its own, a batch one for each thousand lines. Its argument is the directory for the file.
 */

const [directory = ''] = process.argv.slice(2);
const database = openSqlite(join(directory, 'prices.db'));
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE price (
    productId TEXT PRIMARY KEY, price REAL, previousPrice REAL, version INTEGER, timestamp REAL
  ) WITHOUT ROWID;
  CREATE TABLE record (
    seq INTEGER PRIMARY KEY, productId TEXT, version INTEGER, previousPrice REAL, price REAL, timestamp REAL
  );
`);
const upsert = database.prepare(`
  INSERT INTO price VALUES (?, ?, NULL, 1, ?)
  ON CONFLICT (productId) DO UPDATE SET
    previousPrice = price.price, price = excluded.price, version = version + 1, timestamp = excluded.timestamp
  RETURNING version, previousPrice`);
const insert = database.prepare(
  'INSERT INTO record (productId, version, previousPrice, price, timestamp) VALUES (?, ?, ?, ?, ?)',
);
const select = database.prepare('SELECT * FROM price WHERE productId = ?');

await servePeer({
  groupLines: 1000,
  reprice: async (update) => record([update]),
  repriceAll: async (updates) => record(updates),
  price: async (productId) => select.get(productId),
});

function record(updates: readonly PeerUpdate[]): void {
  database.exec('BEGIN IMMEDIATE');
  for (const { productId, price } of updates) {
    const timestamp = Date.now() / 1000;
    const head = upsert.get(productId, price, timestamp);
    const version = head?.['version'] ?? null;
    insert.run(productId, version, head?.['previousPrice'] ?? null, price, timestamp);
  }
  database.exec('COMMIT');
}
