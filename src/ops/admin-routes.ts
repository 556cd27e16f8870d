import type { Context, Middleware } from 'koa';
import type { Clients } from '../access/client.ts';
import { isSystemError, RepricerError } from '../errors.ts';
import { encodeSnapshot, type Snapshot } from '../storage/snapshot.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import { presentProblem } from './present-problem.ts';
import { operatorOf, requireOperator } from './require-operator.ts';

/** What operators may ask of a ledger. */
export interface Admin {
  readonly lastSeq: number;
  readonly isReadOnly: boolean;
  seal(): Promise<number>;
  flush(): Promise<number>;
  snapshot(): Promise<Snapshot>;
  setReadOnly(isReadOnly: boolean): Promise<void>;
}

export interface AdminDependencies {
  /** Undefined while the service recovers. */
  readonly admin: () => Admin | undefined;
  readonly health: Health;
  readonly log: Log;
  /** Among whom operators are; undefined where no tokens are needed. */
  readonly clients: Clients | undefined;
}

type Action = (admin: Admin) => Promise<object | string>;

/**
 * What an operator may do on the backplane, each answered when it is done, and logged also when it was
 * refused. Where tokens are configured it needs one of an operator.
 */
export function adminRoutes({ admin, health, log, clients }: AdminDependencies): Middleware {
  const routes = routeTable(health);
  const guarded = requireOperator(clients);
  return async function adminRoutes(ctx, next) {
    const actions = routes.get(ctx.path);
    if (actions === undefined) await next();
    else {
      await guarded(ctx, () => serve(ctx, actions, admin()));
      const { method, path, status } = ctx;
      if (method === 'GET') return;
      const { actor, address } = operatorOf(ctx);
      log.info('admin', { method, path, status, actor, address, error: ctx.state.failure });
    }
  };
}

async function serve(
  ctx: Context,
  actions: ReadonlyMap<string, Action>,
  admin: Admin | undefined,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const action = actions.get(ctx.method);
  if (action === undefined) refuseMethod(ctx, [...actions.keys()]);
  else if (admin === undefined) presentProblem(ctx, 503, 'The service is still recovering.');
  else await answer(ctx, admin, action);
}

function routeTable(health: Health): ReadonlyMap<string, ReadonlyMap<string, Action>> {
  const readOnly = (isReadOnly: boolean) => (admin: Admin) =>
    setReadOnly(admin, health, isReadOnly);
  return new Map([
    ['/admin/seal', new Map([['POST', seal]])],
    ['/admin/flush', new Map([['POST', flush]])],
    ['/admin/snapshot', new Map([['POST', snapshot]])],
    [
      '/admin/read-only',
      new Map<string, Action>([
        ['GET', presentReadOnly],
        ['PUT', readOnly(true)],
        ['DELETE', readOnly(false)],
      ]),
    ],
  ]);
}

async function seal(admin: Admin): Promise<object> {
  return { sealedSeq: await admin.seal() };
}

async function flush(admin: Admin): Promise<object> {
  return { checkpointSeq: await admin.flush() };
}

async function snapshot(admin: Admin): Promise<string> {
  return encodeSnapshot(await admin.snapshot());
}

/** Readiness says so first when writes stop, and last when they go on, so that it never promises too much. */
async function setReadOnly(admin: Admin, health: Health, isReadOnly: boolean): Promise<object> {
  if (isReadOnly) health.notReady('read-only', 'an operator has switched writes off');
  await admin.setReadOnly(isReadOnly);
  if (!isReadOnly) health.cleared('read-only');
  return presentReadOnly(admin);
}

async function presentReadOnly({ isReadOnly, lastSeq }: Admin): Promise<object> {
  return { readOnly: isReadOnly, seq: lastSeq };
}

async function answer(ctx: Context, admin: Admin, action: Action): Promise<void> {
  try {
    ctx.body = await action(admin);
    ctx.type = 'application/json';
  } catch (error) {
    // What is no failure of the storage is a mistake of ours, and koa's to answer.
    if (!(error instanceof Error) || !isOperating(error)) throw error;
    ctx.state.failure = error;
    presentProblem(ctx, 503, error.message);
  }
}

function isOperating(error: Error): boolean {
  return error instanceof RepricerError || isSystemError(error);
}

function refuseMethod(ctx: Context, allowed: readonly string[]): void {
  ctx.set('Allow', allowed.join(', '));
  presentProblem(ctx, 405, `Only ${allowed.join(', ')}.`);
}
