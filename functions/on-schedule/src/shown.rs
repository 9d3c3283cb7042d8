//! Shows in Slack who is on call for a service: in a channel's topic, of which all but our part stays as people wrote it, and as a
//! user group. Who that is, and when it is looked at, is the domain's business ([`domain::shown`]).
//! <https://docs.slack.dev/reference/methods/conversations.setTopic>
//! <https://docs.slack.dev/reference/methods/usergroups.users.update>

use std::collections::BTreeSet;

use aws::receiver::ReceiverConfig;
use aws::slack::{self, NotDone};
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::ServiceId;
use domain::shown::{self, Due, NoRoom, Place, Said};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

const DEADLINE_SECONDS: u64 = 8;

/// Why it is not shown.
#[derive(Debug, thiserror::Error)]
enum NotShown {
    #[error("its receiver is not configured")]
    NotConfigured,
    #[error(transparent)]
    NotDone(#[from] NotDone),
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// A user group cannot be empty.
    #[error("nobody who is on call has a contact there, and a user group cannot be empty")]
    Nobody,
}

/// Writes what is due for one service.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let is_shown = |s: &&domain::Service| s.channel_topic.is_some() || s.user_group.is_some();
    let Some(service) = house.settings().service(id).filter(is_shown) else { return Ok(()) };
    let (now, roster) = (house.now(), &house.settings().roster);
    let situation = house.store.situation(id).await?;
    for due in shown::plan(&situation, service, roster, now) {
        let said = match show(house, &due).await {
            Ok(()) => Said::Stands,
            Err(error) => {
                tracing::warn!(service.name = %id, cause = error_chain(&error), "who is on call is not shown");
                let rest = match &error {
                    NotShown::NotDone(NotDone::LimitedFor(seconds)) => i64::try_from(*seconds).unwrap_or(0).min(86_400),
                    NotShown::NotConfigured | NotShown::NotDone(_) | NotShown::NoRoom(_) | NotShown::Nobody => 0,
                };
                Said::Failed { why: error_chain(&error), rest: SignedDuration::from_secs(rest) }
            }
        };
        let decide = |situation: &_| (shown::hear(&due, &said, situation, roster, house.now()), ());
        house.store.decide(id, now, decide).await?;
    }
    Ok(())
}

async fn show(house: &House, due: &Due) -> Result<(), NotShown> {
    let receiver = house.configuration.receivers.get(&due.spot.receiver).ok_or(NotShown::NotConfigured)?;
    let chat = Chat { house, receiver };
    match due.place {
        Place::Topic => chat.topic(due).await,
        Place::Group => chat.group(due).await,
    }
}

struct Chat<'a> {
    house: &'a House,
    receiver: &'a ReceiverConfig,
}

#[derive(Deserialize)]
struct Told {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    topic: Topic,
}

#[derive(Deserialize)]
struct Topic {
    value: String,
}

#[derive(Deserialize)]
struct Members {
    users: BTreeSet<String>,
}

impl Chat<'_> {
    async fn call(&self, method: &str, fields: &[(&str, &str)]) -> Result<Value, NotDone> {
        slack::call(self.house, self.receiver, method, slack::Said::Form(fields), DEADLINE_SECONDS).await
    }

    /// Each change of a topic is a line in the channel: what stands there already is not written again.
    async fn topic(&self, due: &Due) -> Result<(), NotShown> {
        let channel = ("channel", due.spot.id.as_str());
        let told = self.call("conversations.info", &[channel]).await?;
        let told = Told::deserialize(told).map_err(|_| NotDone::NotRead)?;
        let before = slack::unescaped(&told.channel.topic.value);
        let roster = &self.house.settings().roster;
        let names: Vec<&str> = due.people.iter().map(|person| roster.name_of(person)).collect();
        if let Some(topic) = shown::topic(&before, &names)? {
            self.call("conversations.setTopic", &[channel, ("topic", &topic)]).await?;
        }
        Ok(())
    }

    async fn group(&self, due: &Due) -> Result<(), NotShown> {
        let wanted = self.accounts(due);
        if wanted.is_empty() {
            return Err(NotShown::Nobody);
        }
        let group = ("usergroup", due.spot.id.as_str());
        let told = self.call("usergroups.users.list", &[group]).await?;
        let members = Members::deserialize(told).map_err(|_| NotDone::NotRead)?.users;
        if members != wanted.iter().cloned().collect() {
            self.call("usergroups.users.update", &[group, ("users", &wanted.join(","))]).await?;
        }
        Ok(())
    }

    /// Their accounts, first one first: of each the first contact there that is a person's.
    fn accounts(&self, due: &Due) -> Vec<String> {
        let people = due.people.iter().filter_map(|person| self.house.settings().roster.person(person));
        let is = |c: &&domain::Contact| c.receiver == self.receiver.name && c.address.starts_with(['U', 'W']);
        people.filter_map(|person| person.contacts.iter().find(is)).map(|contact| contact.address.clone()).collect()
    }
}
