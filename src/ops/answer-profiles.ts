import type { Context, Middleware } from 'koa';
import type { Clients } from '../access/client.ts';
import type { Log } from './log.ts';
import { presentProblem } from './present-problem.ts';
import type { ProfileKind, Profiler } from './profiler.ts';
import { operatorOf, requireOperator } from './require-operator.ts';

const secondsDefault = 10;
const secondsMax = 60;

const kinds: ReadonlyMap<string, ProfileKind> = new Map([
  ['/profile/cpu', 'cpu'],
  ['/profile/heap', 'heap'],
]);

/** POST /profile/cpu and /profile/heap, both with `?seconds=`: a profile of this process as a file. */
export function answerProfiles(
  profiler: Profiler,
  log: Log,
  clients: Clients | undefined,
): Middleware {
  const guarded = requireOperator(clients);
  return async function answerProfiles(ctx, next) {
    const kind = kinds.get(ctx.path);
    if (kind === undefined) await next();
    else if (ctx.method === 'POST') {
      await guarded(ctx, () => answerProfile(ctx, profiler, log, kind));
    } else {
      ctx.set('Allow', 'POST');
      presentProblem(ctx, 405, 'A profile is asked for with POST.');
    }
  };
}

async function answerProfile(
  ctx: Context,
  profiler: Profiler,
  log: Log,
  kind: ProfileKind,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const seconds = parseSeconds(ctx.querystring);
  if (seconds === undefined) {
    const detail = `The only parameter is seconds, a whole number from 1 to ${secondsMax}.`;
    return presentProblem(ctx, 400, detail);
  }
  if (profiler.isTaking) {
    ctx.set('Retry-After', String(secondsMax));
    return presentProblem(ctx, 409, 'A profile is being taken; there is one at a time.');
  }
  const { actor, address } = operatorOf(ctx);
  log.info('a profile is being taken', { kind, seconds, actor, address });
  const json = await profiler.take(kind, seconds, whenGone(ctx));
  if (json === undefined) return;
  ctx.attachment(`repricer.${kind}profile`);
  ctx.type = 'application/json';
  ctx.body = json;
}

function parseSeconds(query: string): number | undefined {
  if (query === '') return secondsDefault;
  const seconds = Number(/^seconds=([1-9][0-9]?)$/.exec(query)?.[1]);
  return seconds <= secondsMax ? seconds : undefined;
}

/** Is aborted when nobody waits for the answer any more. */
function whenGone(ctx: Context): AbortSignal {
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  return gone.signal;
}
