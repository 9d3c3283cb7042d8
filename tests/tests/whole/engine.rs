//! The embedded engine says the same without a wire, as the program asks it, as it does with one, as other processes ask it.

use std::fmt::Debug;
use std::sync::Arc;

use aws::clients::{self, Aws, Http};
use aws::{Store, keys};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest};
use house_tests::time;
use recent_deployers::engine::Engine;

const TABLE: &str = "recent-deployers";

fn item(sort: &str, nth: i64) -> [(String, AttributeValue); 4] {
    [
        (keys::PARTITION.to_owned(), AttributeValue::S("p".to_owned())),
        (keys::SORT.to_owned(), AttributeValue::S(sort.to_owned())),
        (keys::DUE.to_owned(), AttributeValue::S(keys::DUE.to_owned())),
        (keys::DUE_AT.to_owned(), AttributeValue::N(nth.to_string())),
    ]
}

/// What came of a call: without what tells one answer of the same from another.
fn said<A: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(result: Result<A, SdkError<E, R>>) -> String {
    match result {
        Ok(answer) => {
            let text = format!("{answer:?}");
            text.split(", _request_id:").next().unwrap_or(&text).to_owned()
        }
        Err(error) => {
            let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
            format!("{:?} {:?}", meta.and_then(|meta| meta.code()), meta.and_then(|meta| meta.message()))
        }
    }
}

async fn played(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    let put = |sort, nth| client.put_item().table_name(TABLE).set_item(Some(item(sort, nth).into()));
    let key = |sort| {
        let [partition, sort, ..] = item(sort, 0);
        std::collections::HashMap::from([partition, sort])
    };
    for (sort, nth) in [("a", 3), ("a", 4), ("b", 1), ("c", 2)] {
        all.push(said(put(sort, nth).condition_expression("attribute_not_exists(pk)").send().await));
    }
    all.push(said(put("x", 1).condition_expression("nothing of the kind(").send().await));
    for sort in ["a", "z"] {
        let update = client.update_item().table_name(TABLE).set_key(Some(key(sort)));
        let update =
            update.update_expression("SET seen = :t ADD tries :t").condition_expression("attribute_exists(pk)");
        all.push(said(update.expression_attribute_values(":t", AttributeValue::N("1".to_owned())).send().await));
        let get = client.get_item().table_name(TABLE).set_key(Some(key(sort))).consistent_read(true);
        let answer = get.send().await.unwrap();
        all.push(answer.item.and_then(|item| item.get("tries").cloned()).map_or(String::new(), |n| format!("{n:?}")));
    }
    let query = |index: Option<&str>, name: &str, value: &str| {
        let query = client.query().table_name(TABLE).set_index_name(index.map(str::to_owned)).limit(2);
        let query = query.key_condition_expression("#k = :k").expression_attribute_names("#k", name);
        query.expression_attribute_values(":k", AttributeValue::S(value.to_owned()))
    };
    for query in [query(None, keys::PARTITION, "p"), query(Some(keys::DUE_INDEX), keys::DUE, keys::DUE)] {
        let answer = query.scan_index_forward(false).send().await.unwrap();
        let sorts = answer.items().iter().map(|item| format!("{:?}", item[keys::SORT])).collect::<Vec<_>>();
        let mut last: Vec<String> = answer.last_evaluated_key.unwrap().iter().map(|pair| format!("{pair:?}")).collect();
        last.sort();
        all.push(format!("{sorts:?} until {last:?}"));
    }
    for (first, second) in [("d", "e"), ("f", "a")] {
        let put = |sort| {
            let put = Put::builder().table_name(TABLE).set_item(Some(item(sort, 5).into()));
            TransactWriteItem::builder()
                .put(put.condition_expression("attribute_not_exists(pk)").build().unwrap())
                .build()
        };
        let both = vec![put(first), put(second)];
        all.push(said(client.transact_write_items().set_transact_items(Some(both)).send().await));
    }
    let write = |sort| {
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item(sort, 6).into())).build().unwrap())
    };
    let writes = vec![write("g").build(), write("h").build()];
    all.push(said(client.batch_write_item().request_items(TABLE, writes).send().await));
    let wanted =
        KeysAndAttributes::builder().set_keys(Some(vec![key("g"), key("f")])).consistent_read(true).build().unwrap();
    let got = client.batch_get_item().request_items(TABLE, wanted).send().await.unwrap();
    all.push(format!("{} got", got.responses.unwrap()[TABLE].len()));
    all.push(said(client.delete_item().table_name(TABLE).set_key(Some(key("a"))).send().await));
    all.push(format!("{} in all", client.scan().table_name(TABLE).send().await.unwrap().count));
    all
}

#[tokio::test]
async fn what_the_engine_says_is_the_same_with_and_without_a_wire() {
    let now = Arc::new(|| time("Fri 12:00"));
    let (http, engines) = (Http::new(), [(); 2].map(|()| Engine::open(None, now.clone()).unwrap()));
    let address = engines[1].serve().await.unwrap();
    let nowhere = Aws::local("http://localhost".to_owned(), String::new());
    let without = clients::dynamodb(&nowhere, &engines[0].reached_by(&http));
    let with = clients::dynamodb(&Aws::local(address, String::new()), &http);
    for client in [&without, &with] {
        Store::new(client.clone(), TABLE).create_table().await.unwrap();
    }
    let all = played(&without).await;
    assert_eq!(all, played(&with).await);
    let failed = all.iter().filter(|said| said.starts_with("Some(")).count();
    assert_eq!(failed, 4, "two conditions, one that means nothing, one transaction: {all:#?}");
    assert_eq!(all.last().unwrap(), "6 in all");
}
