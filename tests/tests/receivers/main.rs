//! Every receiver against a small fake of its API.

mod contract;
mod slack;
mod teams;
mod webhook;

use std::collections::BTreeSet;

use aws::receiver::ReceiverKind;
use contract::Fake;
use strum::IntoEnumIterator;

const FAKES: &[&Fake] = &[&slack::FAKE, &teams::FAKE, &webhook::FAKE];

#[tokio::test]
async fn a_webhook_keeps_the_contract() {
    webhook::FAKE.check().await;
}

#[tokio::test]
async fn slack_keeps_the_contract() {
    slack::FAKE.check().await;
}

#[tokio::test]
async fn teams_keeps_the_contract() {
    teams::FAKE.check().await;
}

#[test]
fn every_kind_of_receiver_has_a_fake() {
    let fakes: BTreeSet<&str> = FAKES.iter().map(|fake| fake.kind).collect();
    let kinds: BTreeSet<&str> =
        ReceiverKind::iter().filter(|kind| *kind != ReceiverKind::Terminal).map(ReceiverKind::word).collect();
    assert_eq!(fakes, kinds);
}
