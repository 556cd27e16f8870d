import { createRequire } from 'node:module';
import { z } from 'zod';

const aPackage = z.object({ version: z.string() });

/** Of this package, as its package.json has it. */
export const packageVersion = aPackage.parse(
  createRequire(import.meta.url)('repricer/package.json'),
).version;
