//! The embedded engine without a wire: DynamoDB's protocol as the SDK speaks it, answered in our own process. It saves each call
//! a connection, two hops of it and three readings of its JSON (tests/bench/README.md), and opens no port to others on the machine.

use std::fmt;

use aws::clients::Passing;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::Disk;

/// What only reads need not wait for the disk.
const READS: [&str; 5] = ["BatchGetItem", "DescribeTable", "GetItem", "Query", "Scan"];

/// A connector to the engine. Writes are answered once they are on the disk, where there is one; where that fails the answer is lost,
/// as on the way.
pub struct Wireless {
    database: Database,
    disk: Option<Disk>,
}

impl Wireless {
    pub fn new(database: Database, disk: Option<Disk>) -> Self {
        Self { database, disk }
    }
}

impl fmt::Debug for Wireless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wireless").finish_non_exhaustive()
    }
}

impl HttpConnector for Wireless {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (database, disk) = (self.database.clone(), self.disk.clone());
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let lasts = !READS.contains(&operation.as_str()) && request.extension::<Passing>().is_none();
            // Others have their turn between two calls, as on a wire. The call itself is made here: it takes a fraction of a millisecond,
            // the engine takes one at a time, and to have another thread make it costs as much again.
            tokio::task::yield_now().await;
            // The SDK has the body of each of DynamoDB's requests in memory.
            let answered = answer(&database, &operation, request.into_body().bytes().unwrap_or(b""));
            if let Some(disk) = disk.filter(|_| lasts && answered.is_ok()) {
                disk.has_it().await.map_err(|error| ConnectorError::io(error.into()))?;
            }
            let (status, body) = match answered {
                Ok(body) => (200, body),
                Err(error) => (error.status_code(), error.to_json().into_bytes()),
            };
            let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// What the engine answers to one of the operations that are asked for here.
fn answer(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    match operation {
        "BatchGetItem" => by(body, |asked| database.batch_get_item(asked)),
        "BatchWriteItem" => by(body, |asked| database.batch_write_item(asked)),
        "CreateTable" => by(body, |asked| database.create_table(asked)),
        "DeleteItem" => by(body, |asked| database.delete_item(asked)),
        "DescribeTable" => by(body, |asked| database.describe_table(asked)),
        "GetItem" => by(body, |asked| database.get_item(asked)),
        "PutItem" => by(body, |asked| database.put_item(asked)),
        "Query" => by(body, |asked| database.query(asked)),
        "Scan" => by(body, |asked| database.scan(asked)),
        // Nothing is lost on the way here and sent again, for which the engine would keep each token for ten minutes and look through
        // them all each time. Whoever does try again finds what is written, which is a conflict, and reads again.
        "TransactWriteItems" => by(body, |asked: TransactWriteItemsRequest| {
            database.transact_write_items(TransactWriteItemsRequest { client_request_token: None, ..asked })
        }),
        "UpdateItem" => by(body, |asked| database.update_item(asked)),
        "UpdateTimeToLive" => by(body, |asked| database.update_time_to_live(asked)),
        other => Err(DynoxideError::ValidationException(format!("{other} is not asked for on one machine"))),
    }
}

fn by<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    act: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Vec<u8>, DynoxideError> {
    let asked = serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_vec(&act(asked)?).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"TableName": "table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}"#;
    const PUT: &str = r#"{"TableName": "table", "Item": {"pk": {"S": "a"}}}"#;
    const PUT_IF_NEW: &str =
        r#"{"TableName": "table", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}"#;
    const GET: &str = r#"{"TableName": "table", "Key": {"pk": {"S": "a"}}}"#;

    fn request(operation: &str, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.headers_mut().insert("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        request
    }

    /// The status, and what is said.
    async fn answered(engine: &Wireless, request: HttpRequest) -> Result<(u16, String), ConnectorError> {
        let answer = engine.call(request).await?;
        let body = String::from_utf8(answer.body().bytes().unwrap().to_vec()).unwrap();
        Ok((answer.status().as_u16(), body))
    }

    #[tokio::test]
    async fn errors_are_answered_as_dynamodb_does() {
        let engine = Wireless::new(Database::memory().unwrap(), None);
        let said = async |operation, body| answered(&engine, request(operation, body)).await.unwrap();
        assert_eq!(said("CreateTable", TABLE).await.0, 200);
        assert_eq!(said("PutItem", PUT_IF_NEW).await.0, 200);
        let (status, body) = said("PutItem", PUT_IF_NEW).await;
        assert!(status == 400 && body.contains("ConditionalCheckFailedException"), "{status} {body}");
        assert_eq!(said("GetItem", GET).await.1, r#"{"Item":{"pk":{"S":"a"}}}"#);
        for (operation, body) in [("GetItem", "{"), ("GetItem", "[]"), ("DeleteTable", "{}"), ("", "")] {
            let (status, body) = said(operation, body).await;
            assert!(status == 400 && body.contains("ValidationException"), "{operation}: {status} {body}");
        }
    }

    #[tokio::test]
    async fn a_write_that_is_not_on_the_disk_is_not_answered_but_where_its_loss_only_repeats_something() {
        let folder = std::env::temp_dir().join(format!("rd-wireless-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("data.sqlite");
        let database = Database::new(&file.to_string_lossy()).unwrap();
        let engine = Wireless::new(database, Some(Disk::below(&file).unwrap()));
        assert_eq!(answered(&engine, request("CreateTable", TABLE)).await.unwrap().0, 200);
        // A disk that is gone.
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(answered(&engine, request("PutItem", PUT)).await.is_err());
        assert_eq!(answered(&engine, request("GetItem", GET)).await.unwrap().0, 200, "reads wait for nothing");
        let mut claim = request("PutItem", PUT);
        claim.add_extension(Passing);
        assert_eq!(answered(&engine, claim).await.unwrap().0, 200);
        let (status, _) = answered(&engine, request("PutItem", PUT_IF_NEW)).await.unwrap();
        assert_eq!(status, 400, "what was refused has nothing to wait for");
    }
}
