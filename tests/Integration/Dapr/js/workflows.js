"use strict";
// The workflows of Behaviour/Workflows.cs, for the official JavaScript worker. What each one does is said there.

const fs = require("fs");

const activities = {
  greet: async (_, name) => `Hello ${name}!`,
  square: async (_, n) => n * n,
  fails: async (_, message) => { throw new Error(message); },
  hangOnce: async (_, file) => {
    if (fs.existsSync(file)) return "again";
    fs.writeFileSync(file, "");
    return await new Promise(() => {});
  },
};

const status = (text) => JSON.stringify(text);

const workflows = {
  async *chain(context, name) {
    const first = yield context.callActivity("greet", name);
    return yield context.callActivity("greet", first);
  },
  async *fan(context, count) {
    return yield context.whenAll(Array.from({ length: count }, (_, i) => context.callActivity("square", i + 1)));
  },
  async *timer(context, seconds) {
    const before = context.getCurrentUtcDateTime().getTime();
    yield context.createTimer(seconds);
    return context.getCurrentUtcDateTime().getTime() >= before + seconds * 1000;
  },
  async *clock(context) {
    yield context.callActivity("square", 1);
    return context.getCurrentUtcDateTime().getTime();
  },
  async *waits(context, name) {
    context.setCustomStatus(status("waiting"));
    const got = yield context.waitForExternalEvent(name);
    context.setCustomStatus(status("went on"));
    return got;
  },
  async *late(context, name) {
    yield context.createTimer(1);
    return yield context.waitForExternalEvent(name);
  },
  async *caught(context, message) {
    try {
      return yield context.callActivity("fails", message);
    } catch (e) {
      return String(e.message).includes(message) ? "caught" : String(e.message);
    }
  },
  async *uncaught(context, message) {
    return yield context.callActivity("fails", message);
  },
  async *parent(context, n) {
    const result = yield context.callChildWorkflow("child", n);
    try {
      yield context.callChildWorkflow("uncaught", "no");
      return -1;
    } catch {
      return result + 1;
    }
  },
  async *child(context, n) {
    return yield context.callActivity("square", n);
  },
  async *rounds(context, got) {
    if (got.length === 0) yield context.createTimer(1);
    const all = [...got, yield context.waitForExternalEvent("item")];
    if (all.length < 3) context.continueAsNew(all, true);
    return all;
  },
  async *hangs(context, file) {
    return yield context.callActivity("hangOnce", file);
  },
  async *nested(context, id) {
    return yield context.callChildWorkflow("waits", "go", id);
  },
};

module.exports = { activities, workflows };
