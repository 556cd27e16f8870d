import type { RouterMiddleware } from '@koa/router';
import { answerKept, keepAnswer } from '../server/answer-kept.ts';
import { createDocument } from './document.ts';

/** GET /openapi.json: the description of the API. */
export function openApiDocumentHandler(pageSizeMax: number): RouterMiddleware {
  const text = JSON.stringify(createDocument(pageSizeMax));
  const kept = keepAnswer('application/json; charset=utf-8', Buffer.from(text));
  return function openApiDocument(ctx) {
    answerKept(ctx, kept);
  };
}
