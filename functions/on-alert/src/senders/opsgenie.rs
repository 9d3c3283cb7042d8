//! Opsgenie: its outgoing Webhook integration. It cannot sign; it sends a token in a header of the integration.
//! <https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/>

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_alert::AlertEvent;
use serde_json::Value;

use super::opsgenie_shape::{self, Speaker};

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "opsgenie",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Opsgenie",
        steps: &[
            "In Settings, Integrations, Add integration: Webhook (outgoing), Webhook URL {url}",
            "Add a custom header: Authorization with the value Bearer {secret}",
            "Check Add alert description and Add alert details; post for Create, Acknowledge, UnAcknowledge, Escalate, Update priority, Close, Delete",
            "Say the service and environment in tags (service:edxapp, env:prod) or in the entity: details come with Create only",
        ],
        reads: "alerts created, acknowledged, taken over, unacknowledged, escalated, re-prioritised, closed, deleted; tags such as `service:edxapp` and details are labels",
        ignores: "notes, tags, teams, assignments, snoozes, custom actions",
        docs: "https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/",
    },
};

const SPEAKER: Speaker =
    Speaker { source: "opsgenie", forge: "opsgenie", shows: Some("https://app.opsgenie.com/alert/detail/") };

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    if opsgenie_shape::is_told(&message) {
        return opsgenie_shape::read(&message, SPEAKER);
    }
    Ok(Reading::ignored("not an Opsgenie webhook: it has no action on an alert"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_action_on_an_alert_is_ignored() {
        for body in ["{}", "[]", "7", r#"{"action":"Create"}"#, r#"{"action":7,"alert":{}}"#] {
            assert!(matches!(read(body.as_bytes()), Ok(Reading::Ignored(_))), "{body}");
        }
        assert!(read(b"{").is_err() && read(br#"{"action":"Create","alert":{}}"#).is_err());
    }

    #[test]
    fn an_account_that_is_no_address_is_one_of_opsgenie() {
        let body = br#"{"action":"Acknowledge","alert":{"alertId":"1","updatedAt":1772445600000,"username":"anna"}}"#;
        let Ok(Reading::Event(event)) = read(body) else { panic!("not read") };
        let login = event.alerts[0].acknowledged.as_ref().and_then(|there| there.login.as_ref());
        assert_eq!(login.map(ToString::to_string).as_deref(), Some("opsgenie:anna"));
        assert_eq!(event.alerts[0].source, "opsgenie");
    }
}
