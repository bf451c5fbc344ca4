"use strict";
// A task hub made from the SDK's generated service: every request is decoded by these stubs and told with its bytes, what the stubs
// make of it and the bytes that they write for that.
const { say, serve } = require("./lines");
const path = require("path");
const grpc = require("@grpc/grpc-js");
// Not among the package's exports.
const proto = path.join(path.dirname(require.resolve("@dapr/dapr")), "workflow/internal/durabletask/proto");
const pb = require(path.join(proto, "orchestrator_service_pb"));
const { TaskHubSidecarServiceService } = require(path.join(proto, "orchestrator_service_grpc_pb"));

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const read = (type, text) => type.deserializeBinary(new Uint8Array(Buffer.from(text, "hex")));

const service = Object.fromEntries(Object.entries(TaskHubSidecarServiceService).map(([name, method]) => [name, {
  ...method,
  requestDeserialize: (bytes) => ({ bytes, message: method.requestDeserialize(bytes) }),
}]));

const answers = {};
let server;
let stream;
let token = null;

function told(name, call) {
  const { bytes, message } = call.request;
  say({ event: "call", name, bytes: hex(bytes), again: hex(message.serializeBinary()), message: message.toObject(), metadata: call.metadata.getMap() });
}

const refused = (call) => token !== null && call.metadata.get("dapr-api-token")[0] !== token;
const unauthenticated = { code: grpc.status.UNAUTHENTICATED, details: "authentication error: api token mismatch" };

function unary(name) {
  return (call, callback) => {
    told(name, call);
    if (refused(call)) return callback(unauthenticated);
    const answer = answers[name]?.length > 1 ? answers[name].shift() : answers[name]?.[0];
    if (answer?.code) return callback(answer);
    const type = service[name].responseType;
    callback(null, answer?.hex ? read(type, answer.hex) : new type());
  };
}

const implementation = Object.fromEntries(Object.keys(service).map((name) => [name, unary(name)]));
implementation.getWorkItems = (call) => {
  told("getWorkItems", call);
  if (refused(call)) return call.emit("error", unauthenticated);
  // Headers go out with the first item only, as daprd does it.
  stream = call;
  say({ event: "accepted" });
};

serve({
  async listen({ requiredToken }) {
    token = requiredToken ?? null;
    server = new grpc.Server();
    server.addService(service, implementation);
    return await new Promise((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))));
  },
  // The last one stays; {code, details} is an error, {hex} a message.
  answer({ name, with: list }) { answers[name] = list; },
  // The item goes through the stubs both ways: what the worker gets is what they wrote.
  send({ hex: item }) { stream.write(read(pb.WorkItem, item)); },
  endStream({ code, details }) { code ? stream.emit("error", { code, details }) : stream.end(); },
  // RST_STREAM with an HTTP/2 error code: the connection stays, the call is cut off. 8 = CANCEL.
  resetStream({ http2Code }) { stream.call.stream.close(http2Code); },
  dropConnection() { stream.call.stream.session.destroy(); },
  requireToken({ value }) { token = value; },
  stop() { server.forceShutdown(); },
});
