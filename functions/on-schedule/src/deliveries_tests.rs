//! Which deliveries are missed, and which webhooks are ours.

use aws::settings::{Configuration, no_files};
use serde_json::{Value, json};

use super::*;

/// Minutes of an hour in which everything happens; the look begins at minute 60 and reads back to minute 0.
fn minute(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 56) + SignedDuration::from_mins(minute)
}

/// `guid minute status`, newest first as GitHub lists them; `+` before the minute: one that was asked for. The id is
/// the minute.
fn attempts(text: &str) -> Vec<Attempt> {
    let attempt = |line: &str| {
        let mut words = line.split_whitespace();
        let (guid, at, status) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let event = words.next().unwrap_or("pull_request");
        let number: i64 = at.trim_start_matches('+').parse().unwrap();
        serde_json::from_value(json!({
            "id": number + 100, "guid": guid, "delivered_at": minute(number), "redelivery": at.starts_with('+'),
            "duration": 0.1, "status": "whatever", "status_code": status.parse::<i64>().ok(), "event": event, "action": null
        }))
        .unwrap()
    };
    text.split(',').map(str::trim).filter(|line| !line.is_empty()).map(attempt).collect()
}

/// `guid attempt`, with a `?` where it is not time yet.
fn said(text: &str) -> Vec<String> {
    let found = missed(7, &attempts(text), DOORS[0].1, minute(0), minute(60));
    found.iter().map(|m| format!("{} {}{}", m.guid, m.attempt - 100, if m.due { "" } else { "?" })).collect()
}

#[test]
fn what_never_arrived_and_may_now_is_missed() {
    for (listed, want) in [
        ("", &[][..]),
        ("a 50 200", &[]),
        ("a 50 202", &[]),
        // Nobody answered, too slowly, not just then.
        ("a 50 0", &["a 50"]),
        ("a 50 none", &["a 50"]),
        ("a 50 502, b 40 503, c 30 504, d 20 408, e 10 429", &["a 50", "b 40", "c 30", "d 20", "e 10"]),
        // Refused for good, or sent elsewhere.
        ("a 50 400, b 40 401, c 30 403, d 20 404, e 10 413, f 9 301, g 8 422, h 7 -1, i 6 600", &[]),
        // It arrived since, or had before somebody asked for it again.
        ("a +55 200, a 50 502", &[]),
        ("a +55 502, a 50 200", &[]),
        // It was refused since.
        ("a +55 401, a 50 502", &[]),
        // It failed again: at once, and after a rest.
        ("a +55 502, a 50 502", &["a 55?"]),
        ("a +30 502, a 25 0", &["a 30"]),
        ("a +30 502, a 25 400", &["a 30"]),
        // Enough is enough.
        ("a +20 502, a +10 502, a 5 502", &[]),
        // Before the time that is looked at, also where it was tried again since.
        ("a -1 502", &[]),
        ("a +30 502, a -1 502", &[]),
        ("a +30 502", &[]),
        ("a 0 502", &["a 0"]),
        // What we do not read.
        ("a 50 502 issues, b 50 502 deployment_status, c 50 502 push, d 50 502 merge_group", &["c 50", "d 50"]),
    ] {
        assert_eq!(said(listed), want, "{listed}");
    }
}

#[test]
fn only_webhooks_that_come_to_us_are_ours() {
    let configuration = |public_url: &str| {
        let text = format!(
            "{public_url}\n[senders.github]\n[senders.edx]\nkind = \"github\"\nrepositories = [\"edx/*\"]\n\
             [senders.alertmanager]\n[senders.others]\nkind = \"github\"\nrepositories = [\"other/*\"]\n\
             [people.anna]\nzone = \"Europe/Paris\"\ncontacts = [\"terminal\"]\n[services.lms]\nowners = [\"anna\"]\n\
             rotation = [\"anna\"]\nrepositories = [{{ name = \"edx/lms\" }}]\nalerts = [\"service=lms\"]\n\
             [services.lms.environments.production]\nlive = true\n[unmapped]\nrotation = [\"anna\"]\n"
        );
        Configuration::parse(&text, &no_files).unwrap()
    };
    let (ours_at, nowhere) = (configuration("public_url = \"https://deployers.example.com/house\""), configuration(""));
    let check = |configuration: &Configuration, urls: &[&str]| -> Vec<String> {
        let hook = |(id, url): (usize, &&str)| json!({ "id": id, "active": true, "config": { "url": url } });
        let hooks: Value = urls.iter().enumerate().map(hook).collect();
        let hooks: Vec<Hook> = serde_json::from_value(hooks).unwrap();
        let found = ours(&hooks, configuration, &"edx/lms".parse().unwrap());
        found.iter().map(|(id, events)| format!("{id} {}", events[0])).collect()
    };
    for (urls, want) in [
        (&["https://deployers.example.com/house/merge/github"][..], &["0 pull_request"][..]),
        (&["https://DEPLOYERS.example.com/house/deploy/edx/?token=x#y"], &["0 deployment_status"]),
        // Another house's, when ours is there too; otherwise a proxy's name for us.
        (
            &["https://staging.example.com/merge/github", "https://deployers.example.com/house/merge/github"],
            &["1 pull_request"],
        ),
        (
            &["https://hooks.example.com/in/merge/github", "http://u:p@10.0.0.1:8080/deploy/github"],
            &["0 pull_request", "1 deployment_status"],
        ),
        // Not our routes, not GitHub's sources, not this repository's, no addresses.
        (
            &[
                "https://ci.example.com/github-webhook/",
                "https://ci.example.com/alert/github",
                "https://deployers.example.com/house/merge/alertmanager",
                "https://deployers.example.com/house/merge/others",
                "https://deployers.example.com/house/merge/unknown",
                "https://deployers.example.com/house/merge/github/more",
                "https://deployers.example.com/?/merge/github",
                "/merge/github",
                "https://",
                "",
            ],
            &[],
        ),
    ] {
        assert_eq!(check(&ours_at, urls), want, "{urls:?}");
    }
    let two = ["https://a.example.com/merge/github", "https://b.example.com/deploy/edx"];
    assert_eq!(check(&nowhere, &two), ["0 pull_request", "1 deployment_status"]);
    let idle: Vec<Hook> = serde_json::from_value(json!([
        { "id": 1, "active": false, "config": { "url": "https://deployers.example.com/house/merge/github" } },
        { "id": 2, "config": {} }
    ]))
    .unwrap();
    assert!(ours(&idle, &ours_at, &"edx/lms".parse().unwrap()).is_empty());
}
