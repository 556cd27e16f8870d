import { type PeerUpdate, servePeer } from './peer-front.ts';
import { RedisConnection } from './redis-connection.ts';

/*
 * The frame with Redis beside it, appendonly and appendfsync=always: a script takes the last price
 * and adds to a stream in one step; commands share one connection, on which they wait for nobody.
 * Its argument is Redis's socket.
 */

const script = `
  local last = redis.call('HMGET', KEYS[1], 'price', 'version')
  local version = (last[2] or 0) + 1
  redis.call('HSET', KEYS[1], 'price', ARGV[1], 'version', version, 'previousPrice', last[1] or '', 'timestamp', ARGV[2])
  redis.call('XADD', 'records', '*', 'product', KEYS[1], 'version', version, 'previousPrice', last[1] or '', 'price', ARGV[1])
  return version`;

const [socket = ''] = process.argv.slice(2);
const redis = await RedisConnection.open(socket);
const digest = String(await redis.command('SCRIPT', 'LOAD', script));

await servePeer({ groupLines: 1000, reprice, repriceAll, price });

async function reprice({ productId, price: amount }: PeerUpdate): Promise<void> {
  await redis.command('EVALSHA', digest, '1', productId, String(amount), String(Date.now() / 1000));
}

async function repriceAll(updates: readonly PeerUpdate[]): Promise<void> {
  await Promise.all(updates.map(reprice));
}

async function price(productId: string): Promise<object | undefined> {
  const fields = await redis.command(
    ...['HMGET', productId, 'price', 'timestamp', 'previousPrice', 'version'],
  );
  if (!Array.isArray(fields) || fields[0] === null) return undefined;
  const [amount, timestamp, previousPrice, version] = fields.map(Number);
  return { productId, price: amount, timestamp, previousPrice, version };
}
