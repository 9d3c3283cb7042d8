//! After a rollback the table holds what a newer version wrote.

use aws::StoreError;
use aws::clients::{self, Aws, Http};
use aws::{keys, records, schema};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ServiceId;
use house_tests::{Stage, configuration, time};

async fn change(stage: &Stage, partition: &str, sort: &str, adjust: impl FnOnce(&mut records::Item)) {
    let aws = Aws::local(stage.endpoints().await.dynamodb_endpoint.clone().unwrap(), String::new());
    let client = clients::dynamodb(&aws, &Http::new());
    let found = client
        .query()
        .table_name("recent-deployers")
        .key_condition_expression("pk = :p AND begins_with(sk, :s)")
        .expression_attribute_values(":p", records::text(partition))
        .expression_attribute_values(":s", records::text(sort))
        .send()
        .await
        .unwrap();
    let mut item = found.items().first().unwrap().clone();
    adjust(&mut item);
    client.put_item().table_name("recent-deployers").set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn every_item_with_a_body_says_its_version() {
    let stage = Stage::new().await;
    stage.merge("feanil", 1).await;
    stage.deploy("prod", "success", 1).await;
    stage.alert("edxapp", "Fri 12:00", false).await;
    for (partition, sort) in
        [("S#edxapp", "C#"), ("S#edxapp", "D#"), ("S#edxapp", "I#"), ("L#edxapp", ""), ("S#edxapp", "A#")]
    {
        let one = schema::WRITES.to_string();
        change(&stage, partition, sort, |item| {
            assert_eq!(item.get(keys::VERSION), Some(&AttributeValue::N(one)), "{partition} {sort}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_not_misread_and_nothing_is_written_over_it() {
    let stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    stage.merge("feanil", 1).await;
    stage.deploy("prod", "success", 1).await;
    change(&stage, "S#edxapp", "C#", |item| {
        item.insert(keys::VERSION.into(), records::number(schema::READS + 1));
    })
    .await;
    let edxapp: ServiceId = "edxapp".parse().unwrap();
    let Err(refused) = stage.house.store.situation(&edxapp).await else { panic!("it was read") };
    assert!(matches!(refused, StoreError::Newer { .. }));
    assert_eq!(
        refused.to_string(),
        "the table holds something of version 2, and this program reads 1: deploy the newer one again"
    );
    // The alert is not taken, so its monitor sends it again.
    let before = stage.house.store.log(&edxapp, 50).await.unwrap();
    let refused = stage.alert("edxapp", "Fri 12:00", false).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(stage.house.store.log(&edxapp, 50).await.unwrap(), before, "nothing was written");
    // The board shows the others, and says why not this one; so does `who`.
    let whole = stage.get("/services/edxapp").await;
    assert!(whole.status == 503 && whole.body.contains("deploy the newer one again"), "{}", whole.body);
    // What was last known of it is shown, and that nobody looks at it any more.
    stage.clock.set(time("Fri 12:05"));
    let board = stage.get("/").await.body;
    assert!(board.contains("Nobody has looked at discovery, edxapp since 12:01"), "{board}");
    for path in ["/people/feanil", "/who"] {
        let shown = stage.get(path).await;
        assert!(shown.status == 200 && shown.body.contains("deploy the newer one again"), "{path}: {}", shown.body);
    }
    // Other services go on, and so does this one once the newer version is back, or brought the item down.
    let discovery = stage.situation("discovery").await;
    assert_eq!(discovery.changes.len(), 1);
    change(&stage, "S#edxapp", "C#", |item| {
        item.remove(keys::VERSION);
    })
    .await;
    assert_eq!(stage.alert("edxapp", "Fri 12:00", false).await.status, 200);
}

#[tokio::test]
async fn a_reason_that_came_with_a_newer_version_is_passed_over() {
    let stage = Stage::new().await;
    stage.merge("feanil", 1).await;
    change(&stage, "L#edxapp", "", |item| {
        let Some(AttributeValue::M(body)) = item.get_mut(keys::BODY) else { panic!("no body") };
        let Some(AttributeValue::M(reason)) = body.get_mut("reason") else { panic!("no reason: {body:?}") };
        reason.insert("reason".into(), records::text("foreseen"));
        reason.insert("by".into(), records::text("a model"));
    })
    .await;
    let board = stage.get("/services/edxapp").await;
    assert!(board.status == 200 && board.body.contains("decided by a newer version of the bundle"), "{}", board.body);
}
