import { type PeerUpdate, servePeer } from './peer-front.ts';
import { PostgresConnection } from './postgres-connection.ts';

/*
 * The frame with PostgreSQL beside it, with its defaults, which sync each commit: a write is one
 * statement, on one of a pool of connections; a batch is copied into a table of its own and carried
 * over by window functions, ten thousand lines at a time. Its arguments are PostgreSQL's socket and the user.
 */

const poolSize = 20;
const [socket = '', user = ''] = process.argv.slice(2);
const [first, ...others] = await Promise.all(
  Array.from({ length: poolSize }, () => PostgresConnection.open(socket, user)),
);
if (first === undefined) throw new Error('a pool has at least one connection');

await first.run(`
  CREATE TABLE price (
    product_id text PRIMARY KEY, price numeric(18,6), previous_price numeric(18,6), version bigint, changed_at timestamptz
  );
  CREATE TABLE record (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id text, version bigint,
    previous_price numeric(18,6), price numeric(18,6), changed_at timestamptz
  );
  CREATE TEMPORARY TABLE upload (line integer, product_id text, price numeric(18,6));`);

const pool = [first, ...others];
for (const connection of pool) {
  await connection.prepare(
    'reprice',
    `WITH head AS (
      INSERT INTO price VALUES ($1, $2::numeric, NULL, 1, now())
      ON CONFLICT (product_id) DO UPDATE SET
        previous_price = price.price, price = excluded.price, version = price.version + 1, changed_at = now()
      RETURNING *)
    INSERT INTO record (product_id, version, previous_price, price, changed_at)
      SELECT product_id, version, previous_price, price, changed_at FROM head RETURNING seq`,
  );
  await connection.prepare(
    'price',
    'SELECT price, previous_price, version, extract(epoch FROM changed_at) FROM price WHERE product_id = $1',
  );
}

/** The lines of an upload in order, each with the price before it, then the last of each product. */
const carryOver = `
  INSERT INTO record (product_id, version, previous_price, price, changed_at)
    SELECT product_id, coalesce(price.version, 0) + row_number() OVER of_product,
      coalesce(lag(upload.price) OVER of_product, price.price), upload.price, now()
    FROM upload LEFT JOIN price USING (product_id)
    WINDOW of_product AS (PARTITION BY product_id ORDER BY line) ORDER BY line;
  INSERT INTO price
    SELECT DISTINCT ON (product_id) product_id, price,
      lag(price) OVER (PARTITION BY product_id ORDER BY line), count(*) OVER (PARTITION BY product_id), now()
    FROM upload ORDER BY product_id, line DESC
  ON CONFLICT (product_id) DO UPDATE SET
    previous_price = coalesce(excluded.previous_price, price.price), price = excluded.price,
    version = price.version + excluded.version, changed_at = now();
  TRUNCATE upload;`;

let turn = 0;

await servePeer({ groupLines: 10_000, reprice, repriceAll, price });

/** The next one in turn: each does one thing at a time, and the others wait behind it. */
function connection(): PostgresConnection {
  turn = (turn + 1) % pool.length;
  return pool[turn] as PostgresConnection;
}

async function reprice({ productId, price: amount }: PeerUpdate): Promise<void> {
  await connection().query('reprice', productId, String(amount));
}

async function repriceAll(updates: readonly PeerUpdate[]): Promise<void> {
  const lines = updates.map(
    ({ productId, price: amount }, line) => `${line}\t${productId}\t${amount}\n`,
  );
  const uploader = pool[0] as PostgresConnection;
  await uploader.copy('COPY upload FROM STDIN', lines.join(''));
  await uploader.run(carryOver);
}

async function price(productId: string): Promise<object | undefined> {
  const [row] = await connection().query('price', productId);
  if (row === undefined) return undefined;
  const [amount, previousPrice, version, timestamp] = row.map(Number);
  return { productId, price: amount, timestamp, previousPrice, version };
}
