//! The drill: one test page, asked for by whoever may invoke this function.

use aws::{House, StoreError};
use domain::decision::Wake;
use domain::on_request::hands::Desk;
use domain::{Decisions, PersonId, ServiceId, Situation};
use serde_json::{Value, json};

/// `{"drill": {"service": "edxapp", "person": "anna"}}`, by whoever may invoke this function: one test page.
pub(super) async fn page(house: &House, wanted: &Value) -> Result<Value, StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).unwrap_or("");
    let service = text("service").parse().ok().and_then(|id: ServiceId| settings.service(&id));
    let service = service.filter(|service| !settings.is_desk(&service.id));
    let (Some(service), Ok(person)) = (service, text("person").parse::<PersonId>()) else {
        return Ok(json!({ "refused": "a drill names a service of the configuration and a person of the roster" }));
    };
    let decide = |situation: &Situation| {
        let desk = Desk { situation, service, settings, now };
        match desk.drill(&person, &person) {
            Ok(decisions) => (decisions, None),
            Err(refused) => (Decisions::none(&service.id, Wake::Now), Some(refused.to_string())),
        }
    };
    let (decisions, refused) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    Ok(match refused {
        None => json!({ "page": decisions.messages.first().map(|message| message.key.to_string()) }),
        Some(why) => json!({ "refused": why }),
    })
}
