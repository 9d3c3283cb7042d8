// The job of on-merge, as it would be written with Probot and its adapter for Lambda: the signature is Probot's, then one read and
// one transaction. It does less than ours: no configuration, no queue, no wording, one sender, and its secret is in the environment.
import { DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import adapter from "@probot/adapter-aws-lambda-serverless";

const { createLambdaFunction, createProbot } = adapter;
const { TABLE } = process.env;
const dynamodb = new DynamoDBClient({});

const app = (probot) => {
  probot.on("pull_request.closed", async ({ payload }) => {
    const { merged, merge_commit_sha: commit, merged_by: by, title } = payload.pull_request;
    if (!merged) return;
    const service = payload.repository.full_name;
    await dynamodb.send(new GetItemCommand({
      TableName: TABLE,
      ConsistentRead: true,
      Key: { pk: { S: `S#${service}` }, sk: { S: "B#" } },
    }));
    const body = JSON.stringify({ commit, by: by.login, title });
    const put = (pk, sk) => ({
      Put: {
        TableName: TABLE,
        Item: { pk: { S: pk }, sk: { S: sk }, body: { S: body } },
        ConditionExpression: "attribute_not_exists(pk)",
      },
    });
    await dynamodb.send(new TransactWriteItemsCommand({
      TransactItems: [
        put(`S#${service}`, `C#${commit}`),
        put(`C#${service}@${commit}`, "C"),
        put(`L#${service}`, `${Date.now()}#${commit}`),
      ],
    }));
  });
};

const answer = createLambdaFunction(app, { probot: createProbot() });
export const handler = (event) => answer(event, {});
