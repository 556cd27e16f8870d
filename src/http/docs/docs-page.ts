import type { RouterMiddleware } from '@koa/router';
import { answerKept, keepAnswer } from '../server/answer-kept.ts';

/** The page takes scripts, styles and data from here, and nothing from anywhere else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

// The empty icon keeps browsers from asking for one.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Repricer API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript. <a href="/openapi.json">The description itself</a> does not.</noscript>
</body>
</html>
`;

/** GET /docs: the description of the API as a page. */
export function docsPageHandler(): RouterMiddleware {
  const kept = keepAnswer('text/html; charset=utf-8', Buffer.from(page));
  return function docsPage(ctx) {
    ctx.set('Content-Security-Policy', contentSecurityPolicy);
    answerKept(ctx, kept);
  };
}
