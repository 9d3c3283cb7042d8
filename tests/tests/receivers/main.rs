//! Every receiver against a small fake of its API.

mod contract;
mod goalert;
mod pagerduty;
mod pagerduty_events;
mod webhook;

use std::collections::BTreeSet;

use aws::receiver::ReceiverKind;
use contract::Fake;
use strum::IntoEnumIterator;

const FAKES: &[&Fake] = &[&goalert::FAKE, &pagerduty::FAKE, &pagerduty_events::FAKE, &webhook::FAKE];

#[tokio::test]
async fn a_webhook_keeps_the_contract() {
    webhook::FAKE.check().await;
}

#[tokio::test]
async fn a_pagerduty_keeps_the_contract() {
    pagerduty::FAKE.check().await;
}

#[tokio::test]
async fn a_pagerduty_events_keeps_the_contract() {
    pagerduty_events::FAKE.check().await;
}

#[tokio::test]
async fn a_goalert_keeps_the_contract() {
    goalert::FAKE.check().await;
}

#[test]
fn every_kind_of_receiver_has_a_fake() {
    let fakes: BTreeSet<&str> = FAKES.iter().map(|fake| fake.kind).collect();
    let kinds: BTreeSet<&str> =
        ReceiverKind::iter().filter(|kind| *kind != ReceiverKind::Terminal).map(ReceiverKind::word).collect();
    assert_eq!(fakes, kinds);
}
