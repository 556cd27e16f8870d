import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { z } from 'zod';
import { parseYaml } from '../manifests/manifest-files.ts';
import { projectRoot } from '../support/project-root.ts';
import { type Pipeline, parsePipeline, type Stage, type Step } from './pipeline.ts';

interface Rule {
  readonly title: string;
  readonly isKept: (pipeline: Pipeline) => boolean;
  /** Changes to the file, of which each alone breaks the rule. */
  readonly planted: readonly (readonly [good: string, bad: string])[];
}

const rules: readonly Rule[] = [
  {
    title: 'every key and every input of a task is a known one',
    // Kept by whatever `parsePipeline` takes.
    isKept: () => true,
    planted: [
      ['dependsOn: Test', 'dependOn: Test'],
      ['lockBehavior: sequential', 'lockBehaviour: sequential'],
      ['lockBehavior: sequential', 'lockBehavior: sequentially'],
      ['UseNode@1', 'NodeTool@0'],
      ['version: 24.x', 'versionSpec: 24.x'],
      ['version: 24.x', 'version: 20.x'],
      ['Cache@2', 'CacheBeta@1'],
      ['containerRegistry:', 'containerRegsitry:'],
      ['command: build', 'command: buildAndPush'],
      ['scriptLocation: inlineScript', 'scriptLocation: inline'],
      ['testResultsFormat: JUnit', 'testResultsFormat: TAP'],
      ['failTaskOnMissingResultsFile: true', 'failTaskOnMissingResultsFile: false'],
      ['timeoutInMinutes: 30', 'timeoutInMinutes: 30m'],
      ['condition: succeededOrFailed()', 'condition: always'],
      ['environment: production', 'enviroment: production'],
      ['              set -euo pipefail\n              docker run', '              docker run'],
      ['fetchDepth: 1', 'fetchdepth: 1'],
    ],
  },
  {
    title: 'stages follow each other: no image without its tests, no deployment without its image',
    isKept: ({ stages }) =>
      stages.map((stage) => `${stage.dependsOn ?? ''} → ${stage.stage}`).join() ===
      ' → Test,Test → Image,Image → Review,Image → Production',
    planted: [
      ['    dependsOn: Test\n', ''],
      ['stage: Production\n    dependsOn: Image', 'stage: Production\n    dependsOn: Test'],
    ],
  },
  {
    title:
      'commits to the main branch are deployed one after the other, pull requests never to production',
    isKept: ({ trigger, pr, stages }) => {
      const production = stageOf(stages, 'Production');
      return (
        trigger.batch &&
        trigger.branches.include.join() === 'main' &&
        pr.branches.include.join() === 'main' &&
        production.lockBehavior === 'sequential' &&
        production.condition ===
          "and(succeeded(), ne(variables['Build.Reason'], 'PullRequest'), eq(variables['Build.SourceBranch'], 'refs/heads/main'))" &&
        stageOf(stages, 'Review').condition ===
          "and(succeeded(), eq(variables['Build.Reason'], 'PullRequest'))"
      );
    },
    planted: [
      ['batch: true', 'batch: false'],
      ['    lockBehavior: sequential\n', ''],
      ["ne(variables['Build.Reason'], 'PullRequest'), ", ''],
      [
        "condition: and(succeeded(), eq(variables['Build.Reason'], 'PullRequest'))",
        'condition: succeeded()',
      ],
    ],
  },
  {
    title:
      'a deployment is one to an environment, where people approve it, with that environment’s connection',
    isKept: ({ stages }) =>
      ['Production', 'Review'].every((stage) => {
        const [job] = stageOf(stages, stage).jobs;
        const place = stage.toLowerCase();
        const azure = stepsOf(stageOf(stages, stage)).find(isTask('AzureCLI@2'));
        return (
          'environment' in job &&
          job.environment === place &&
          azure !== undefined &&
          'azureSubscription' in azure.inputs &&
          azure.inputs.azureSubscription === `$(${place}Connection)`
        );
      }),
    planted: [
      ['environment: production', 'environment: review'],
      ['azureSubscription: $(reviewConnection)', 'azureSubscription: $(productionConnection)'],
    ],
  },
  {
    title:
      'what is deployed is the image by the digest that it was pushed with, after it was tried',
    isKept: ({ stages }) => {
      const image = stageOf(stages, 'Image');
      const order = stepsOf(image).map((step) =>
        'bash' in step
          ? step.bash.includes('manifests/smoke')
            ? 'try'
            : 'name'
          : 'task' in step && 'command' in step.inputs
            ? step.inputs.command
            : '',
      );
      const named = stepsOf(image).at(-1);
      return (
        order.join() === ',build,try,push,name' &&
        named !== undefined &&
        'bash' in named &&
        named.name === 'pushed' &&
        named.bash.includes('RepoDigests') &&
        named.bash.includes('variable=image;isOutput=true') &&
        ['Production', 'Review'].every((stage) => {
          const [job] = stageOf(stages, stage).jobs;
          return (
            'variables' in job &&
            job.variables['image'] ===
              "$[ stageDependencies.Image.Image.outputs['pushed.image'] ]" &&
            / "\$\(image\)"\n/.test(azureScriptOf(stages, stage))
          );
        })
      );
    },
    planted: [
      ['manifests/smoke http://127.0.0.1:8080\n', 'true\n'],
      ['name: pushed', 'name: named'],
      ["outputs['pushed.image']", "outputs['image']"],
      ['RepoDigests', 'RepoTags'],
      ['production repricer "$(image)"', 'production repricer repricer:latest'],
    ],
  },
  {
    title:
      'a deployment waits for the service and reprices through it, and a review app has its own namespace',
    isKept: ({ stages }) =>
      azureScriptOf(stages, 'Production').includes('manifests/deploy production repricer ') &&
      azureScriptOf(stages, 'Review').includes(
        'manifests/deploy review "repricer-pr-$(System.PullRequest.PullRequestId)" ',
      ),
    planted: [
      ['manifests/deploy production', 'kubectl apply production'],
      ['repricer-pr-$(System.PullRequest.PullRequestId)', 'repricer'],
    ],
  },
  {
    title: 'every variable is set here or by the pipeline itself, and none is a secret',
    isKept: (pipeline) => {
      const known = [...Object.keys(pipeline.variables), 'image'];
      const used = [...JSON.stringify(pipeline).matchAll(/\$\(([A-Za-z_][\w.]*)\)/g)];
      return (
        used.every(
          ([, name = '']) => known.includes(name) || /^(Build|Agent|Pipeline|System)\./.test(name),
        ) && !/secret|password|token|\bkey\b(?!":"npm)/i.test(JSON.stringify(pipeline))
      );
    },
    planted: [
      ['$(registryConnection)', '$(registryConection)'],
      [
        '  reviewCluster: repricer-review',
        '  reviewPassword: hunter2\n  reviewCluster: repricer-review',
      ],
    ],
  },
];

for (const { title, isKept, planted } of rules) {
  test(`in the pipeline, ${title}`, async (t) => {
    t.true(isKept(parse(await readPipeline())));
  });

  test(`the check that ${title} finds what breaks it`, async (t) => {
    const text = await readPipeline();

    for (const [good, bad] of planted) {
      assert(text.includes(good), good);
      t.true(
        isBroken(() => isKept(parse(text.replace(good, bad)))),
        `${good} → ${bad}`,
      );
    }
  });
}

test('the pipeline runs what the README tells people to run, and together that is what "npm test" does', async (t) => {
  const root = await projectRoot();
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const { stages } = parse(await readPipeline());

  const commands = stages
    .flatMap(stepsOf)
    .flatMap((step) => ('script' in step ? [step.script] : []));

  t.deepEqual(commands, ['npm ci', 'npm run lint', 'npm run report']);
  for (const command of commands) t.regex(readme, new RegExp(`(^|\`)${command}\\b`, 'm'));
  t.is(scripts['test'], 'npm run --silent lint && npm run --silent build && ava');
  t.is(scripts['report'], 'npm run --silent build && c8 node build/test/report/main.js');
});

test('every script of the pipeline is one that bash can read', async (t) => {
  const { stages } = parse(await readPipeline());
  const scripts = stages
    .flatMap(stepsOf)
    .flatMap((step) => ('bash' in step ? [step.bash] : []))
    .concat(['Review', 'Production'].map((stage) => azureScriptOf(stages, stage)));

  const complaints = scripts.map(
    (script) => spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr,
  );

  t.deepEqual(complaints, ['', '', '', '']);
  t.not(spawnSync('bash', ['-n'], { input: 'if true; done' }).status, 0);
});

test('what the pipeline publishes is where the tests put it, and what it starts is there', async (t) => {
  const root = await projectRoot();
  const reporter = await readFile(join(root, 'test/report/main.ts'), 'utf8');
  const { c8 } = z
    .object({ c8: z.object({ reporter: z.array(z.string()), 'reports-dir': z.string() }) })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const text = await readPipeline();

  const started = [...text.matchAll(/^\s+(manifests\/[\w-]+)/gm)].map(([, path = '']) => path);

  t.true(text.includes('testResultsFiles: reports/junit.xml'));
  t.true(reporter.includes("'reports/junit.xml'"));
  t.true(text.includes(`summaryFileLocation: ${c8['reports-dir']}/cobertura-coverage.xml`));
  t.true(c8.reporter.includes('cobertura'));
  t.is(started.length, 4);
  await t.notThrowsAsync(Promise.all(started.map((path) => access(join(root, path), 1))));
});

async function readPipeline(): Promise<string> {
  return readFile(join(await projectRoot(), 'azure-pipelines.yml'), 'utf8');
}

function parse(text: string): Pipeline {
  return parsePipeline(parseYaml(text)[0]);
}

/** Whether a rule is not kept, or what is written is not known at all. */
function isBroken(isKept: () => boolean): boolean {
  try {
    return !isKept();
  } catch (error) {
    if (error instanceof z.ZodError) return true;
    throw error;
  }
}

function stageOf(stages: readonly Stage[], name: string): Stage {
  const stage = stages.find((one) => one.stage === name);
  assert(stage !== undefined, name);
  return stage;
}

function stepsOf({ jobs: [job] }: Stage): readonly Step[] {
  return 'steps' in job ? job.steps : job.strategy.runOnce.deploy.steps;
}

type Task = Extract<Step, { task: string }>;

function isTask(name: Task['task']): (step: Step) => step is Task {
  return (step): step is Task => 'task' in step && step.task === name;
}

function azureScriptOf(stages: readonly Stage[], name: string): string {
  const step = stepsOf(stageOf(stages, name)).find(isTask('AzureCLI@2'));
  return step !== undefined && 'inlineScript' in step.inputs ? step.inputs.inlineScript : '';
}
