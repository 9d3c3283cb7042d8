//! Any bytes, through every monitor's reader, and what is remembered of what was read.
#![no_main]

use std::collections::BTreeMap;

use domain::on_alert::{AlertEvent, decide};
use domain::situation::Situation;
use domain::times::plausible;
use domain::{Alert, AlertState, Signals};
use house_fuzz::{Target, bytes_of, is_line, is_url, now, settings};
use jiff::SignedDuration;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const TARGET: Target<AlertEvent> = Target { name: "on_alert", senders: ::on_alert::senders::SENDERS, holds };

/// So many alerts of a message are read.
const MOST_ALERTS: usize = 2000;
/// DynamoDB takes items of 400 KB.
const MOST_BYTES: usize = 400_000;

fuzz_target!(init: TARGET.prepare(), |data: &[u8]| TARGET.run(data));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    house_fuzz::mutate(data, size, max_size, seed)
});

fn holds(sender: &str, event: &AlertEvent) {
    assert!(event.alerts.len() <= MOST_ALERTS, "{} alerts", event.alerts.len());
    event.alerts.iter().for_each(|alert| bounded(sender, alert));
    let count = event.alerts.len();
    let places = event.clone().by_place(settings(), |_| true);
    assert_eq!(places.values().map(Vec::len).sum::<usize>(), count, "every alert has a place");
    for (place, alerts) in &places {
        let service = settings().service(&place.service).expect("a service of the settings");
        let situation = Situation::empty(place.service.clone());
        let _ = decide(alerts, place, &situation, service, settings(), &[], now());
        let mut signals = Signals::default();
        learn(&mut signals, alerts);
        assert!(bytes_of(&signals) <= MOST_BYTES, "{} bytes of signals", bytes_of(&signals));
        let once = signals.clone();
        learn(&mut signals, alerts);
        assert!(contradicts(alerts) || signals == once, "a repeated message says nothing new: {once:?}, {signals:?}");
        if let Some(at) = signals.next_lapse() {
            signals.lapse(at);
        }
    }
}

/// Whether a message says several things of one alert, one of them that it fires and not since when: heard again, that
/// is taken for news of what is known by then, as from a script that tells no times.
fn contradicts(alerts: &[Alert]) -> bool {
    let mut times = BTreeMap::new();
    alerts.iter().for_each(|alert| *times.entry(alert.key()).or_insert(0) += 1);
    let past = |alert: &Alert| alert.started_at.is_some_and(|at| at <= now() + SignedDuration::from_mins(10));
    alerts.iter().any(|alert| alert.state != AlertState::Resolved && !past(alert) && times[&alert.key()] > 1)
}

fn learn(signals: &mut Signals, alerts: &[Alert]) {
    alerts.iter().for_each(|alert| signals.learn(alert, now()));
    signals.trim(now());
}

fn bounded(sender: &str, alert: &Alert) {
    assert_eq!(alert.source, sender);
    is_line("fingerprint", &alert.fingerprint, 320);
    assert!(!alert.fingerprint.is_empty(), "an alert without an identity");
    is_line("name", &alert.name, 200);
    is_line("summary", &alert.summary, 400);
    is_url(alert.url.as_deref());
    assert!(alert.labels.len() <= 80, "{} labels", alert.labels.len());
    for (name, value) in &alert.labels {
        is_line("label's name", name, 100);
        is_line("label", value, 1000);
    }
    assert!(alert.started_at.into_iter().chain(alert.ended_at).all(plausible), "a time that cannot be right");
    let month = SignedDuration::from_hours(31 * 24);
    assert!(alert.lasts.is_none_or(|lasts| lasts > SignedDuration::ZERO && lasts <= month), "{:?}", alert.lasts);
    if let Some(there) = &alert.acknowledged {
        assert!(plausible(there.at), "a time that cannot be right");
        is_line("name of who acknowledged", &there.name, 200);
    }
}
