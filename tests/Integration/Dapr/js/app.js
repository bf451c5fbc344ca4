"use strict";
// The official client and server of Dapr's HTTP API.
const { say, serve } = require("./lines");
const net = require("net");
const { CommunicationProtocolEnum, DaprClient, DaprServer } = require("@dapr/dapr");
// Not among the package's exports.
const Status = require(require("path").join(require("path").dirname(require.resolve("@dapr/dapr")), "enum/DaprPubSubStatus.enum")).default;

const sdk = require("module").createRequire(require.resolve("@dapr/dapr"));
const { create } = sdk("@bufbuild/protobuf");
const { anyPack, anyUnpack, StringValueSchema } = sdk("@bufbuild/protobuf/wkt");
const stubs = () => grpc.daprClient.getClient();

const communicationProtocol = CommunicationProtocolEnum.HTTP;
let client;
let grpc;
let server;

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

serve({
  // The same client over gRPC; jobs have no wrapper in it, only its generated stubs.
  async connectGrpc({ port, token }) {
    grpc = new DaprClient({ daprHost: "127.0.0.1", daprPort: String(port), communicationProtocol: CommunicationProtocolEnum.GRPC, ...(token ? { daprApiToken: token } : {}) });
    await grpc.start();
  },
  publishGrpc: async ({ pubsub, topic, data, options }) => { await grpc.pubsub.publish(pubsub, topic, data, options); },
  metadataGrpc: async () => ({ ...(await grpc.metadata.get()) }),
  setMetadataGrpc: ({ key, value }) => grpc.metadata.set(key, value),
  async scheduleJob({ name, schedule, dueTime, text, overwrite }) {
    const data = text === undefined ? undefined : anyPack(StringValueSchema, create(StringValueSchema, { value: text }));
    await (await stubs()).scheduleJobAlpha1({ job: { name, schedule, dueTime, data }, overwrite: overwrite ?? false });
  },
  async getJob({ name }) {
    const { job } = await (await stubs()).getJobAlpha1({ name });
    return { name: job.name, schedule: job.schedule ?? null, dueTime: job.dueTime ?? null, text: job.data ? anyUnpack(job.data, StringValueSchema).value : null };
  },
  deleteJob: async ({ name }) => { await (await stubs()).deleteJobAlpha1({ name }); },
  async connect({ port, token }) {
    client = new DaprClient({ daprHost: "127.0.0.1", daprPort: String(port), communicationProtocol, ...(token ? { daprApiToken: token } : {}) });
    await client.start();
  },
  // answers: topic -> the statuses to give, in turn; the last one stays.
  async serveApp({ port, pubsub, answers, deadLetter }) {
    const serverPort = await freePort();
    server = new DaprServer({
      serverHost: "127.0.0.1", serverPort: String(serverPort), communicationProtocol,
      clientOptions: { daprHost: "127.0.0.1", daprPort: String(port), communicationProtocol },
    });
    for (const [topic, list] of Object.entries(answers)) {
      const take = async (data, headers) => {
        const status = list.length > 1 ? list.shift() : list[0];
        say({ event: "message", topic, data, status, type: headers["content-type"] });
        return Status[status];
      };
      await server.pubsub.subscribeWithOptions(pubsub, topic, { callback: take, ...(deadLetter?.[topic] ? { deadLetterTopic: deadLetter[topic] } : {}) });
    }
    await server.start();
    return serverPort;
  },
  publish: async ({ pubsub, topic, data, options }) => {
    const answer = await client.pubsub.publish(pubsub, topic, data, options);
    return answer?.error ? `refused: ${answer.error.message}` : "taken";
  },
  healthy: () => client.health.isHealthy(),
  metadata: () => client.metadata.get(),
  setMetadata: ({ key, value }) => client.metadata.set(key, value),
  startWorkflow: ({ name, input, instance }) => client.workflow.scheduleNewWorkflow(name, input, instance),
  getWorkflow: ({ instance }) => client.workflow.getWorkflowState(instance),
  raise: ({ instance, name, payload }) => client.workflow.raiseEvent(instance, name, payload),
  pause: ({ instance }) => client.workflow.pause(instance),
  resume: ({ instance }) => client.workflow.resume(instance),
  terminate: ({ instance }) => client.workflow.terminate(instance),
  purge: ({ instance }) => client.workflow.purge(instance),
});
