import type { RouterMiddleware } from '@koa/router';
import { answerKept } from '../server/answer-kept.ts';
import { DocsFiles, type ReadFile } from './docs-files.ts';

/** GET /docs/{file}: what the documentation page consists of. */
export function docsFileHandler(readFile: ReadFile): RouterMiddleware {
  const files = new DocsFiles(readFile);
  return async function docsFile(ctx) {
    answerKept(ctx, await files.get(ctx.captures?.[0] ?? ''));
  };
}
