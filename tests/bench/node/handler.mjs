// The job of on-alert, as it would be written in Node.js with the AWS SDK: one query, one transaction, one publish, one
// update. It does less than ours: no configuration, no ranking, no wording, one sender, and its secret is in the environment.
import { timingSafeEqual } from "node:crypto";
import { DynamoDBClient, QueryCommand, TransactWriteItemsCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";

const { TABLE, TOPIC, TOKEN } = process.env;
const dynamodb = new DynamoDBClient({});
const sns = new SNSClient({});

export async function handler(event) {
  const given = Buffer.from(event.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${TOKEN}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return { statusCode: 401, body: "{}" };
  const [alert] = JSON.parse(event.body).alerts;
  const service = alert.labels.service;

  const found = await dynamodb.send(new QueryCommand({
    TableName: TABLE,
    ConsistentRead: true,
    KeyConditionExpression: "pk = :p",
    ExpressionAttributeValues: { ":p": { S: `S#${service}` } },
  }));
  const changes = found.Items.filter((item) => item.sk.S.startsWith("C#"));
  const suspect = changes.at(-1);
  const incident = `${service}-${alert.fingerprint}`;
  const message = JSON.stringify({ incident, suspect: suspect?.sk.S, title: alert.labels.alertname });

  const put = (pk, sk, body) => ({
    Put: {
      TableName: TABLE,
      Item: { pk: { S: pk }, sk: { S: sk }, body: { S: body } },
      ConditionExpression: "attribute_not_exists(pk)",
    },
  });
  await dynamodb.send(new TransactWriteItemsCommand({
    TransactItems: [
      put(`S#${service}`, `I#${incident}`, message),
      put(`S#${service}`, `A#${incident}`, JSON.stringify(alert)),
      put(`O#${service}`, incident, message),
      put(`L#${service}`, `${Date.now()}#${incident}`, message),
    ],
  }));
  await sns.send(new PublishCommand({ TopicArn: TOPIC, Message: message }));
  await dynamodb.send(new UpdateItemCommand({
    TableName: TABLE,
    Key: { pk: { S: `O#${service}` }, sk: { S: incident } },
    UpdateExpression: "SET published_at = :n",
    ExpressionAttributeValues: { ":n": { N: String(Date.now()) } },
  }));
  return { statusCode: 200, body: JSON.stringify({ decided: "incident_opened", incident }) };
}
