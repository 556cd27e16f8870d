import type { CheckRequest } from '../checker.ts';
import { checkStore } from './check-store.ts';

/* The checker's process: answers one request after the other over the channel to its parent. */

process.on('message', (request: CheckRequest) => {
  checkStore(request).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});
