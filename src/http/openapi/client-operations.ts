import * as header from './headers.ts';
import { named } from './named-schemas.ts';
import type { Operation } from './operation.ts';

export const listClients: Operation = {
  id: 'listClients',
  method: 'get',
  path: '/clients',
  below: 'api',
  scope: 'admin',
  tag: 'Clients',
  summary: 'Read what each client asked for and got',
  description:
    'By the names of their tokens, the one that was seen last first; the name null is for all that came ' +
    'without a token that is known. "accepted" are the prices that were recorded for it, "read" the ' +
    'requests that were answered and were no reprices, "refused" requests and lines of batches by code, ' +
    'bytes those of its connections with their headers. At most 1000 clients.',
  parameters: [],
  answers: [
    {
      status: 200,
      description: 'All that was counted, over restarts as well.',
      headers: [header.noStore],
      content: {
        'application/json': {
          schema: named('ClientStatistics'),
          example: {
            since: '2026-11-21T09:34:41.096Z',
            clients: [
              {
                name: 'crawler',
                requests: 8012,
                accepted: 8001,
                read: 4,
                refused: { QUEUE_FULL: 7 },
                receivedBytes: 1922880,
                sentBytes: 4807200,
                lastSeen: '2026-11-21T10:00:12.345Z',
              },
            ],
          },
        },
      },
    },
  ],
  problems: ['NOT_ACCEPTABLE', 'TOO_MANY_READS'],
};
