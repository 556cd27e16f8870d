import type { Config } from './options.ts';

/** Who it is that answers and logs, where there is more than one installation. */
export interface ServiceIdentity {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
}

export function serviceIdentity({
  serviceName,
  serviceVersion,
  environment,
}: Config): ServiceIdentity {
  return { service: serviceName, version: serviceVersion, environment };
}
