"use strict";
// Commands come in as JSON lines {id, do, ...} and are answered with {id, result} or {id, error: {message, code, details}};
// what happens by itself goes out as {event, ...}. Standard output belongs to this alone: the SDK's log goes to standard error.
for (const level of ["log", "info", "debug", "warn"]) console[level] = console.error;

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

function serve(commands) {
  const answer = async ({ id, do: name, ...args }) => {
    try {
      say({ id, result: (await commands[name](args)) ?? null });
    } catch (e) {
      say({ id, error: { message: String(e?.message ?? e), code: e?.code ?? null, details: typeof e?.details === "string" ? e.details : null } });
    }
  };
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) answer(JSON.parse(line));
  });
  process.stdin.on("end", () => process.exit(0));
  say({ event: "ready" });
}

module.exports = { say, serve };
