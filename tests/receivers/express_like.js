// A receiver as the service's documentation describes one, with the shape of an Express app and nothing but Node.
// node express_like.js BASE64_SECRET   prints its port, takes POST /webhook, refuses a wrong signature with a 400.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");

const secret = Buffer.from(process.argv[2], "base64");

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

function verified(body, given) {
  const text = JSON.stringify(sorted(body));
  const expected = crypto.createHmac("sha256", secret).update(text, "utf8").digest("base64");
  return expected === given;
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const good = request.url === "/webhook" && verified(body, request.headers["x-webhook-signature"]);
    response.writeHead(good ? 200 : 400, { "Content-Type": "application/json" });
    response.end(JSON.stringify(good ? { received: body.idempotency_key } : { error: "invalid signature" }));
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
