//! Every receiver against a small fake of its API.

mod atlassian;
mod contract;
mod email;
mod goalert;
mod jira_service_management;
mod opsgenie;
mod pagerduty;
mod pagerduty_events;
mod slack;
mod sms;
mod teams;
mod webhook;

use std::collections::BTreeSet;

use aws::receiver::ReceiverKind;
use contract::Fake;
use strum::IntoEnumIterator;

pub const FAKES: &[&Fake] = &[
    &webhook::FAKE,
    &email::FAKE,
    &sms::FAKE,
    &opsgenie::FAKE,
    &jira_service_management::FAKE,
    &goalert::FAKE,
    &pagerduty::FAKE,
    &pagerduty_events::FAKE,
    &slack::FAKE,
    &teams::FAKE,
];

#[tokio::test]
async fn a_webhook_keeps_the_contract() {
    webhook::FAKE.check().await;
}

#[tokio::test]
async fn an_email_keeps_the_contract() {
    email::FAKE.check().await;
}

#[tokio::test]
async fn a_text_message_keeps_the_contract() {
    sms::FAKE.check().await;
}

#[tokio::test]
async fn opsgenie_keeps_the_contract() {
    opsgenie::FAKE.check().await;
}

#[tokio::test]
async fn jira_service_management_keeps_the_contract() {
    jira_service_management::FAKE.check().await;
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
