import { z } from 'zod';

/*
 * The part of Azure Pipelines' language that azure-pipelines.yml uses, with the inputs of each task as their
 * reference spells them: any other key is a misspelt one, or has to be looked up and added here.
 */

const name = z.string().regex(/^[A-Za-z]\w*$/);
const variables = z.record(name, z.string());
const minutes = z.number().int().min(1).max(360);
const branches = z.strictObject({ include: z.array(z.string()) });

const checkout = z.strictObject({ checkout: z.literal('self'), fetchDepth: z.literal(1) });
const script = z.strictObject({ script: z.string() });
const bash = z.strictObject({
  bash: z.string().startsWith('set -euo pipefail\n'),
  name: name.optional(),
  displayName: z.string(),
});

/** Version 24, as the image has it. */
const useNode = task('UseNode@1', { version: z.literal('24.x') });

const cache = task('Cache@2', {
  key: z.string().regex(/\| package-lock\.json$/),
  restoreKeys: z.string(),
  path: z.string(),
});

const publishTests = task('PublishTestResults@2', {
  testResultsFormat: z.literal('JUnit'),
  testResultsFiles: z.string(),
  failTaskOnMissingResultsFile: z.literal(true),
});

const publishCoverage = task('PublishCodeCoverageResults@2', {
  summaryFileLocation: z.string(),
  pathToSources: z.string(),
  failIfCoverageEmpty: z.literal(true),
});

const dockerBuild = task('Docker@2', {
  command: z.literal('build'),
  containerRegistry: z.string(),
  repository: z.string(),
  Dockerfile: z.literal('Dockerfile'),
  buildContext: z.literal('.'),
  tags: z.string(),
  arguments: z.string(),
});

const dockerPush = task('Docker@2', {
  command: z.literal('push'),
  containerRegistry: z.string(),
  repository: z.string(),
  tags: z.string(),
});

const kubelogin = task('KubeloginInstaller@0', {
  kubeloginVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
});

const azureCommand = task('AzureCLI@2', {
  azureSubscription: z.string(),
  scriptType: z.literal('bash'),
  scriptLocation: z.literal('inlineScript'),
  inlineScript: z.string().startsWith('set -euo pipefail\n'),
});

const step = z.union([
  checkout,
  script,
  bash,
  useNode,
  cache,
  publishTests,
  publishCoverage,
  dockerBuild,
  dockerPush,
  kubelogin,
  azureCommand,
]);

const job = z.strictObject({ job: name, timeoutInMinutes: minutes, steps: z.array(step) });

const deployment = z.strictObject({
  deployment: name,
  environment: z.string(),
  timeoutInMinutes: minutes,
  variables,
  strategy: z.strictObject({
    runOnce: z.strictObject({ deploy: z.strictObject({ steps: z.array(step) }) }),
  }),
});

const stage = z.strictObject({
  stage: name,
  dependsOn: name.optional(),
  condition: z.string().optional(),
  lockBehavior: z.enum(['sequential', 'runLatest']).optional(),
  jobs: z.tuple([z.union([job, deployment])]),
});

const pipeline = z.strictObject({
  trigger: z.strictObject({ batch: z.boolean(), branches }),
  pr: z.strictObject({ branches }),
  variables,
  pool: z.strictObject({ vmImage: z.string() }),
  stages: z.array(stage),
});

export type Pipeline = z.infer<typeof pipeline>;
export type Stage = z.infer<typeof stage>;
export type Step = z.infer<typeof step>;

/** Throws a ZodError for anything that is not known. */
export function parsePipeline(document: unknown): Pipeline {
  return pipeline.parse(document);
}

function task<const Name extends string, Inputs extends z.ZodRawShape>(task: Name, inputs: Inputs) {
  return z.strictObject({
    task: z.literal(task),
    displayName: z.string().optional(),
    condition: z.literal('succeededOrFailed()').optional(),
    inputs: z.strictObject(inputs),
  });
}
