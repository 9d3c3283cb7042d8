// Lambda's runtime interface in its least form: less than what AWS's own image for Node.js does at start.
import { request } from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const ask = (method, path, body) => new Promise((resolve, reject) => {
  const sent = request({ host, port, method, path: `/2018-06-01/runtime/${path}` }, (answer) => {
    const parts = [];
    answer.on("data", (part) => parts.push(part));
    answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts).toString() }));
  });
  sent.on("error", reject);
  sent.end(body);
});

const { handler } = await import(process.env.HANDLER);
for (;;) {
  const { headers, body } = await ask("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  try {
    await ask("POST", `invocation/${id}/response`, JSON.stringify(await handler(JSON.parse(body))));
  } catch (error) {
    await ask("POST", `invocation/${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
