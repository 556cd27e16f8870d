import type { ChildService } from '../support/child-service.ts';
import type { TrialStore } from './store-trials.ts';
import { until } from './until.ts';

/** Both probes answer 200, within a time after which an orchestrator would act. */
export async function expectHealthy(
  store: TrialStore,
  service: ChildService,
  host = '127.0.0.1',
): Promise<void> {
  for (const path of ['/healthz/alive', '/healthz/ready']) {
    const url = `http://${host}:${service.backplanePort}${path}`;
    try {
      await until(`${path} answers 200`, async () => (await fetch(url)).status === 200, 5000);
    } catch (error) {
      store.expect(false, String(error));
    }
  }
}
