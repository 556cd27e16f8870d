import Koa, { type Context, type Middleware } from 'koa';
import type { Clients } from '../access/client.ts';
import { type Admin, adminRoutes } from './admin-routes.ts';
import { answerProfiles } from './answer-profiles.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import type { LogIdentity } from './log-line.ts';
import type { Metrics } from './metrics.ts';
import { presentProblem } from './present-problem.ts';
import type { Profiler } from './profiler.ts';
import { refusePages } from './refuse-pages.ts';
import { requireLocalName } from './require-local-name.ts';

export interface BackplaneDependencies {
  /** What its health tells of the service. */
  readonly identity?: LogIdentity;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Whether it listens where only this machine can reach it, and therefore only under its own names. */
  readonly isLocalOnly?: boolean;
  /** Whose tokens with the scope `admin` are needed for profiles and `/admin`; undefined where none are. */
  readonly clients?: Clients | undefined;
  /** Undefined where nobody may take profiles. */
  readonly profiler?: Profiler | undefined;
  /** What `/admin` acts on, undefined while that is not there yet; without it there is no `/admin`. */
  readonly admin?: (() => Admin | undefined) | undefined;
}

/** Health and metrics for the operators of the service, on a port of their own. */
export function createBackplane(dependencies: BackplaneDependencies): Koa {
  const {
    identity = {},
    health,
    metrics,
    log,
    isLocalOnly = false,
    clients,
    profiler,
    admin,
  } = dependencies;
  const ready = (ctx: Context) => presentReady(ctx, identity, health);
  const routes = new Map<string, (ctx: Context) => void | Promise<void>>([
    ['/healthz', ready],
    ['/healthz/ready', ready],
    ['/healthz/alive', (ctx) => presentAlive(ctx, identity)],
    ['/metrics', (ctx) => presentMetrics(ctx, metrics)],
  ]);
  const app = new Koa();
  app.on('error', (error) =>
    log.warn('a request to the backplane could not be answered', { error }),
  );
  if (isLocalOnly) app.use(requireLocalName());
  app.use(refusePages());
  if (profiler !== undefined) app.use(answerProfiles(profiler, log, clients));
  if (admin !== undefined) app.use(adminRoutes({ admin, health, log, clients }));
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
function presentAlive(ctx: Context, identity: LogIdentity): void {
  ctx.body = { status: 'alive', ...identity };
}

function presentReady(ctx: Context, identity: LogIdentity, { isReady, reasons }: Health): void {
  ctx.status = isReady ? 200 : 503;
  ctx.body = isReady
    ? { status: 'ready', ...identity }
    : { status: 'not ready', ...identity, reasons };
}

async function presentMetrics(ctx: Context, metrics: Metrics): Promise<void> {
  ctx.set('Content-Type', metrics.contentType);
  ctx.body = await metrics.render();
}
