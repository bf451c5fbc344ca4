"use strict";
// The official worker and client of Dapr Workflow.
const { serve } = require("./lines");
const { DaprWorkflowClient, WorkflowRuntime } = require("@dapr/dapr");
const { activities, workflows } = require("./workflows");

const Status = { 0: "Running", 1: "Completed", 2: "ContinuedAsNew", 3: "Failed", 4: "Canceled", 5: "Terminated", 6: "Pending", 7: "Suspended" };
let worker;
let client;

const options = ({ host, port, token }) => ({ daprHost: host, daprPort: String(port), ...(token ? { daprApiToken: token } : {}) });

const seen = (state) => state && {
  status: Status[state.runtimeStatus],
  name: state.name,
  input: state.serializedInput ?? null,
  output: state.serializedOutput ?? null,
  customStatus: state.customStatus ?? null,
  failure: state.workflowFailureDetails?.getErrorMessage() ?? null,
};

serve({
  async startWorker(args) {
    worker = new WorkflowRuntime(options(args));
    for (const [name, body] of Object.entries(workflows)) worker.registerWorkflowWithName(name, body);
    for (const [name, body] of Object.entries(activities)) worker.registerActivityWithName(name, body);
    await worker.start();
  },
  stopWorker: () => worker.stop(),
  connect: async (args) => { client = new DaprWorkflowClient(options(args)); },
  start: ({ workflow, input, instance, startAt }) =>
    client.scheduleNewWorkflow(workflow, input ?? undefined, instance, startAt ? new Date(startAt) : undefined),
  get: async ({ instance }) => seen(await client.getWorkflowState(instance, true)) ?? null,
  waitForStart: async ({ instance }) => seen(await client.waitForWorkflowStart(instance, true, 60)),
  waitForEnd: async ({ instance }) => seen(await client.waitForWorkflowCompletion(instance, true, 60)),
  raise: ({ instance, name, payload }) => client.raiseEvent(instance, name, payload),
  suspend: ({ instance }) => client.suspendWorkflow(instance),
  resume: ({ instance }) => client.resumeWorkflow(instance),
  terminate: ({ instance, output }) => client.terminateWorkflow(instance, output),
  purge: ({ instance }) => client.purgeWorkflow(instance),
});
