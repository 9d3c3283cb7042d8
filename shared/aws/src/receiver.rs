//! Receivers: how a message can be brought to somebody. What each kind needs in the configuration, what its addresses
//! look like, and what it does with a repetition. Sending is `on-page`'s business.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What a receiver speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "kebab-case")]
pub enum ReceiverKind {
    /// The terminal that `cargo run` was started from. Always there.
    Terminal,
    /// Signed as Standard Webhooks describes.
    Webhook,
    /// PagerDuty's REST API: an incident that is assigned to a user.
    #[strum(serialize = "pagerduty")]
    PagerDuty,
    /// PagerDuty's Events API: an incident of the service whose routing key is the secret.
    #[strum(serialize = "pagerduty-events")]
    PagerDutyEvents,
    /// Opsgenie: an alert with a user as its responder.
    Opsgenie,
    /// Jira Service Management's Operations, Opsgenie's successor.
    JiraServiceManagement,
    /// GoAlert: an alert of the service whose key is the secret.
    #[strum(serialize = "goalert")]
    GoAlert,
    /// Slack: a direct message, or a channel.
    Slack,
    /// Microsoft Teams: a workflow's address, which is the secret.
    Teams,
    /// E-mail.
    Email,
    /// A text message.
    Sms,
}

/// What a contact writes after the receiver's name.
#[derive(Debug, Clone, Copy)]
pub enum AddressForm {
    /// Nothing: the receiver reaches one person, or one channel.
    None,
    /// Something of this form: an example, and what is an address.
    Like(&'static str, fn(&str) -> bool),
}

/// What a kind of receiver needs, and does.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    pub address: AddressForm,
    /// Where its API is, unless `url` says otherwise; without one, `url` is needed or there is none.
    pub url: Option<&'static str>,
    /// The keys of its section that have to be there.
    pub needs: &'static [&'static str],
    /// The keys that may be there besides.
    pub may: &'static [&'static str],
    /// It keeps what it was told as something open, and has to be told when that was taken, or is over.
    pub keeps: bool,
    /// It wakes people or costs by the message: it is for pages only.
    pub pages_only: bool,
    /// It knows a repetition by its key, so that trying again is harmless.
    pub knows_repeats: bool,
}

impl ReceiverKind {
    /// As the configuration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Whether people read it when they look, and nobody is woken: what is left where a service only notifies.
    #[must_use]
    pub fn is_chat(self) -> bool {
        matches!(self, Self::Slack | Self::Teams | Self::Webhook | Self::Terminal)
    }

    /// Whether it says who is on call, and can be told.
    #[must_use]
    pub fn has_schedules(self) -> bool {
        matches!(self, Self::PagerDuty | Self::Opsgenie | Self::JiraServiceManagement)
    }

    #[must_use]
    pub fn traits(self) -> Traits {
        let plain = Traits {
            address: AddressForm::None,
            url: None,
            needs: &[],
            may: &[],
            keeps: false,
            pages_only: false,
            knows_repeats: false,
        };
        let pager =
            Traits { keeps: true, pages_only: true, knows_repeats: true, needs: &["secret"], may: &["url"], ..plain };
        match self {
            Self::Terminal => plain,
            Self::Webhook => Traits { needs: &["url", "secret"], knows_repeats: true, ..plain },
            Self::PagerDuty => Traits {
                address: AddressForm::Like("PXPGF42", is_account),
                url: Some("https://api.pagerduty.com"),
                needs: &["secret", "from", "service"],
                ..pager
            },
            Self::PagerDutyEvents => Traits { url: Some("https://events.pagerduty.com"), ..pager },
            Self::Opsgenie => Traits {
                address: AddressForm::Like("feanil@example.com", is_account),
                url: Some("https://api.opsgenie.com"),
                ..pager
            },
            Self::JiraServiceManagement => Traits {
                address: AddressForm::Like("5b10ac8d82e05b22cc7d4ef5", is_account),
                url: Some("https://api.atlassian.com"),
                needs: &["secret", "from", "cloud"],
                ..pager
            },
            Self::GoAlert => Traits { needs: &["url", "secret"], may: &[], ..pager },
            Self::Slack => Traits {
                address: AddressForm::Like("U024BE7LH", is_slack),
                url: Some("https://slack.com/api"),
                needs: &["secret"],
                may: &["url", "signing_secret"],
                ..plain
            },
            Self::Teams => Traits { needs: &["secret"], ..plain },
            Self::Email => Traits {
                address: AddressForm::Like("feanil@example.com", is_email),
                needs: &["from"],
                may: &["url", "secret"],
                ..plain
            },
            Self::Sms => Traits {
                address: AddressForm::Like("+15555550123", is_number),
                may: &["from", "url"],
                pages_only: true,
                ..plain
            },
        }
    }
}

fn is_account(text: &str) -> bool {
    (2..=254).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\<>?#%/".contains(&b))
}

/// The id of a person, a channel or a conversation; names can change, so they are none.
fn is_slack(text: &str) -> bool {
    text.starts_with(['U', 'W', 'C', 'G', 'D'])
        && (9..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let plain = text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    plain && text.matches('@').count() == 1 && is_account(text) && !text.contains([',', ';', ':', '(', ')', '[', ']'])
}

/// A telephone number as E.164 writes it.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// How one receiver is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverConfig {
    pub name: String,
    pub kind: ReceiverKind,
    /// Where its API is, without a trailing slash; empty where there is none.
    pub url: String,
    /// The name of the secret with which it is spoken to, or signed for it.
    pub secret: Option<String>,
    /// The name of the secret with which it signs what people do there: a chat's buttons.
    pub signing_secret: Option<String>,
    /// On whose behalf: PagerDuty's `From`, Jira's account, the sender of an e-mail, a text message's sender id.
    pub from: Option<String>,
    /// The pager's service in which incidents are made.
    pub service: Option<String>,
    /// The id of the Atlassian site.
    pub cloud: Option<String>,
}

impl ReceiverConfig {
    /// The receiver that is always there.
    #[must_use]
    pub fn terminal() -> Self {
        Self {
            name: ReceiverKind::Terminal.word().to_owned(),
            kind: ReceiverKind::Terminal,
            url: String::new(),
            secret: None,
            signing_secret: None,
            from: None,
            service: None,
            cloud: None,
        }
    }
}
