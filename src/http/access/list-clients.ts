import type { RouterMiddleware } from '@koa/router';
import type { ClientStatistics } from '../../access/client-statistics.ts';

/** GET /api/clients: what each client asked for and got. */
export function listClientsHandler(
  statistics: Pick<ClientStatistics, 'counted'>,
): RouterMiddleware {
  return function listClients(ctx) {
    const { since, clients } = statistics.counted;
    ctx.type = 'json';
    ctx.body = JSON.stringify({ since, clients });
  };
}
