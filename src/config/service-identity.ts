import type { Config } from './options.ts';

/** Who it is that answers and logs, where there is more than one installation. */
export function serviceIdentity({ serviceName, serviceVersion, environment }: Config) {
  return { service: serviceName, version: serviceVersion, environment };
}
