//! What is wrong in a configuration is said before anything starts, in words by which it can be mended. Beside `tests/golden/problems.txt`,
//! which has one of each kind in one file: here each is alone in a configuration that is good otherwise.

use aws::settings::{Configuration, no_files};
use house_tests::configuration;

fn problems(text: &str) -> Vec<String> {
    match Configuration::parse(text, &no_files) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.what).collect(),
    }
}

/// Into the service's own table.
fn service(lines: &str) -> String {
    configuration(&["edxapp"]).replace("[services.edxapp]\n", &format!("[services.edxapp]\n{lines}\n"))
}

fn beside(more: &str) -> String {
    configuration(&["edxapp"]) + "\n" + more
}

fn said(table: &[(String, &str)]) {
    assert_eq!(problems(&configuration(&["edxapp"])), [""; 0], "it is good otherwise");
    for (text, want) in table {
        let said = problems(text);
        assert!(said.iter().any(|what| what.contains(want)), "not said: {want}\nbut {said:#?}");
    }
}

#[test]
fn services_and_environments() {
    let good = configuration(&["edxapp"]);
    said(&[
        (good.replace("services.edxapp", "services.freezes"), "`freezes` is reserved: freezes are kept there"),
        (
            good.replace("services.edxapp", "services.\"merges.x\""),
            "`merges.` is reserved: what stands at open pull requests is kept there",
        ),
        (good.replace("live = true\n", ""), "no environment is `live = true`: nobody would ever be on call"),
        (
            good.replace("environments.stage]\n", "environments.stage]\nlive = true\n"),
            "2 environments are `live = true`; exactly one has to be",
        ),
        (
            good.replace("rotation = [\"anna\"]\nalerts", "rotation = [\"anna\", \"anna\"]\nalerts"),
            "`rotation` names anna twice",
        ),
        (good.replace("rotation = [\"anna\"]\nalerts", "rotation = 3\nalerts"), "`rotation`"),
        (
            good.replace("rotation = [\"anna\"]\nalerts", "rotation = [\"anna\", \" \"]\nalerts"),
            "`rotation` has an empty entry",
        ),
        (service("digest = \"sometimes\""), "`digest` is a day of the week and a time, such as \"Mon 09:00\""),
        (
            service("zone = \"UTC\"\ndigest = \"Mon 09:00\""),
            "`digest` is told to the service's `channel`, and it has none",
        ),
        (
            service("schedule = \"terminal:x\""),
            "`schedule` is \"<receiver>:<schedule>\", where the receiver is a pagerduty, ",
        ),
        ("= nothing".to_owned(), "not TOML: "),
        (
            "public_url = \"https://deployers.example.com\"".to_owned(),
            "there are no people: add a [people.<id>] for each",
        ),
        (beside("[people.\"a b\"]\nzone = \"UTC\"\n"), "not a "),
    ]);
}

#[test]
fn policies_contradict_themselves() {
    let policy = |line: &str| beside(&format!("[policy]\n{line}\n"));
    said(&[
        (policy("active = \"0 min\""), "`active` is nothing: nobody would ever be on call"),
        (
            policy("owner_after = \"2 min\""),
            "`owner_after` is shorter than `rotation_after`: the owner comes after the rotation",
        ),
        (policy("acknowledged_for = \"1 min\""), "`acknowledged_for` is less than 5 min"),
        (policy("again_after = \"10 s\""), "`again_after` is less than a minute; \"0 s\" means never"),
        (policy("release_at_most = 0"), "`release_at_most` is 0: nothing would ever be released"),
        (
            policy("queue_warned_at = 9\nqueue_warned_again_at = 3"),
            "`queue_warned_again_at` is less than `queue_warned_at`; 0 means never",
        ),
        (
            policy("first_suspect_from = \"200 %\""),
            "`first_suspect_from` has to be a share such as \"10 %\", from 0 to 100",
        ),
        (policy("queue_warned_at = -1"), "`queue_warned_at`"),
    ]);
}

#[test]
fn what_acts_by_itself_needs_a_forge_and_a_canary() {
    let reverts =
        |text: String| text.replace("[senders.github]\n", "[senders.github]\napi_token = \"api\"\nreverts = true\n");
    let acts = |more: &str| reverts(service(&format!("mode = \"act\"\nacts = {{ canary = \"track=canary\"{more} }}")));
    assert_eq!(problems(&acts("")), [""; 0]);
    said(&[
        (
            reverts(service("mode = \"act\"")),
            "`mode = \"act\"` needs an `acts` that says by which label an alert is one of the canary",
        ),
        (
            acts(", likely_from = \"40 %\""),
            "`likely_from` is 50 % or more: what is more likely wrong than right is left to people",
        ),
        (acts(", cool_down = \"10 min\""), "`cool_down` is an hour or more: a service acts once an hour at most"),
        (acts("").replace("track=canary", "canary"), "`canary` is \"label=value\", which alerts of the canary have"),
        (
            service("mode = \"propose\""),
            "edxapp is in mode propose, and no source has `reverts = true` for its repositories: nothing would be proposed",
        ),
    ]);
}

#[test]
fn freezes_and_the_lane() {
    let lane = |line: &str| {
        beside(&format!(
            "[squads.lms]\nmembers = [\"feanil\"]\npaths = [\"lms/\"]\nrepository = \"openedx/edx-platform\"\n[expedite]\n{line}\n"
        ))
    };
    assert_eq!(problems(&lane("may = [\"squad:lms\", \"usama\"]\napprovers = [\"olga\"]")), [""; 0]);
    said(&[
        (beside("[freezes.\"a b\"]\npreset = \"holiday\"\nzone = \"UTC\"\ndays = [\"2026-12-24\"]\n"), "not a "),
        (
            beside("[freezes.sale]\npreset = \"holiday\"\nzone = \"UTC\"\nfrom = \"2026-12-24\"\n"),
            "needs both `from` and `until`",
        ),
        (
            beside("[freezes.sale]\npreset = \"holiday\"\nzone = \"UTC\"\n"),
            "is never: give it `from` and `until`, `days`, a `calendar`, or a `feed`",
        ),
        (lane("may = [\"squad:nobody\"]"), "`may` names nobody, which is not a squad"),
        (lane("approvers = [\"santa\"]"), "`approvers` names santa, who is not in [people]"),
    ]);
}

#[test]
fn sources_receivers_and_who_signs_in() {
    let github =
        |lines: &str| configuration(&["edxapp"]).replace("[senders.github]\n", &format!("[senders.github]\n{lines}\n"));
    let sign_in = |lines: &str| beside(&format!("[sign_in]\nclient_id = \"x\"\nsecret = \"sign-in\"\n{lines}\n"));
    assert_eq!(problems(&sign_in("issuer = \"https://accounts.example.com\"\ndomains = [\"example.com\"]")), [""; 0]);
    said(&[
        (
            github("app_id = \"1\""),
            "`app_id` and `app_key` belong together: the GitHub App's id, and the secret that is its key",
        ),
        (github("merge_status = \"always\""), "`merge_status` needs an `api_token`, by which the forge is told"),
        (beside("[receivers.pigeon]\nsecret = \"x\"\n"), "no receiver is called `pigeon`; say which by `kind`: "),
        (
            beside("[receivers.\"a:b\"]\nkind = \"webhook\"\nurl = \"https://x.example\"\nsecret = \"x\"\n"),
            "the name stands before the `:` of a contact",
        ),
        (beside("[receivers.pagerduty]\nsecret = \"x\"\nservice = \"P\"\n"), "`from` is missing"),
        (sign_in("issuer = \"http://accounts.example.com\""), "`issuer` has to be an https address"),
        (
            sign_in("issuer = \"https://accounts.example.com\"\ndomains = [\"olga@example.com\"]"),
            "an entry of `domains` is what follows the @ of addresses",
        ),
        (sign_in("issuer = \"https://accounts.example.com\"\nlasts = \"10 s\""), "`lasts` has to be a minute at least"),
    ]);
}
