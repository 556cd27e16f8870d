import { STATUS_CODES } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import { answerProfiles } from './answer-profiles.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Profiler } from './profiler.ts';

export interface BackplaneDependencies {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Undefined where nobody may take profiles. */
  readonly profiler?: Profiler | undefined;
}

/** Health and metrics for the operators of the service, on a port of their own. */
export function createBackplane({ health, metrics, log, profiler }: BackplaneDependencies): Koa {
  const routes = new Map<string, (ctx: Context) => void | Promise<void>>([
    ['/healthz/alive', presentAlive],
    ['/healthz/ready', (ctx) => presentReady(ctx, health)],
    ['/metrics', (ctx) => presentMetrics(ctx, metrics)],
  ]);
  const app = new Koa();
  app.on('error', (error) =>
    log.warn('a request to the backplane could not be answered', { error }),
  );
  if (profiler !== undefined) app.use(answerProfiles(profiler, log));
  app.use(routeRequests(routes));
  return app;
}

function routeRequests(
  routes: ReadonlyMap<string, (ctx: Context) => void | Promise<void>>,
): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const present = routes.get(ctx.path);
    if (present === undefined) presentProblem(ctx, 404);
    else if (ctx.method === 'GET' || ctx.method === 'HEAD') await present(ctx);
    else {
      ctx.set('Allow', 'GET, HEAD');
      presentProblem(ctx, 405);
    }
  };
}

/** Never asks the disk: a process that only waits for storage must not be restarted for it. */
function presentAlive(ctx: Context): void {
  ctx.body = { status: 'alive' };
}

function presentReady(ctx: Context, { isReady, reasons }: Health): void {
  ctx.status = isReady ? 200 : 503;
  ctx.body = isReady ? { status: 'ready' } : { status: 'not ready', reasons };
}

async function presentMetrics(ctx: Context, metrics: Metrics): Promise<void> {
  ctx.set('Content-Type', metrics.contentType);
  ctx.body = await metrics.render();
}

function presentProblem(ctx: Context, status: 404 | 405): void {
  ctx.status = status;
  ctx.type = 'application/problem+json';
  ctx.body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status });
}
