//! CDEvents, versions 0.1 to 0.6: `change.merged`. It says where and which, and neither who merged nor what: the forge
//! is asked that. The bare event (all that is seen of a CloudEvent in binary mode) or one in the `data` of a CloudEvent.
//! <https://cdevents.dev/docs/scv/>

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::address::{repository_at, repository_in};
use domain::on_merge::MergeEvent;
use domain::on_merge::errands::{Unread, Which};
use domain::{Repository, text, times};
use jiff::Timestamp;
use serde_json::Value;

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "cdevents",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "CDEvents",
        steps: &[
            "Let the broker deliver events of the type dev.cdevents.change.merged to {url}, in structured or binary mode,",
            "with Authorization: Bearer {secret}, or to {url_with_secret}.",
            "Give the forge's own source an `api_token`: these events do not say who merged, so the forge is asked.",
        ],
        reads: "`change.merged`, whose author, merger and commit GitHub, GitLab, Gitea or Forgejo is asked for",
        ignores: "changes created, updated, reviewed, abandoned; branches, repositories, every other event",
        docs: "https://cdevents.dev/docs/scv/",
    },
};

/// The names of forges in the addresses of hosts, and where their accounts are.
const HOSTS: [(&str, &str); 8] = [
    ("github", "github"),
    ("gitlab", "gitlab"),
    ("bitbucket", "bitbucket"),
    ("gitea", "gitea"),
    ("forgejo", "gitea"),
    ("codeberg", "gitea"),
    ("dev.azure", "azure"),
    ("visualstudio", "azure"),
];

/// What stands before the number in the addresses of changes.
const BEFORE_NUMBERS: [&str; 6] = ["pull", "pulls", "merge_requests", "pull-requests", "pullrequests", "pullrequest"];

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let whole: Value = parse(body)?;
    let is_event = |event: &Value| event.get("context").is_some() && event.get("subject").is_some();
    let inside = whole.get("data").filter(|data| is_event(data));
    let Some(event) = inside.or(Some(&whole).filter(|whole| is_event(whole))) else {
        return ignore("not a CDEvent");
    };
    let kind = word(event, "/context/type").ok_or_else(|| Malformed::new("a CDEvent without `context.type`"))?;
    let kind = kind.to_lowercase();
    // `dev.cdevents.change.merged.0.2.0`
    let mut parts = kind.strip_prefix("dev.cdevents.").unwrap_or(&kind).split('.');
    match (parts.next().unwrap_or(""), parts.next().unwrap_or("")) {
        ("change", "merged") => merged(event),
        ("change", "abandoned") => ignore("the change was abandoned: nothing was merged"),
        ("change", _) => ignore("a change that was not merged yet"),
        ("branch" | "repository", _) => ignore("a branch's or repository's event: nothing was merged"),
        ("service" | "environment", _) => ignore("an event of a service or environment: send it to /deploy/cdevents"),
        ("pipelinerun" | "taskrun" | "testsuiterun" | "testsuite" | "artifact", _) => {
            ignore("an event of a pipeline: send it to /deploy/cdevents")
        }
        ("incident", _) => ignore("an incident: send it to /alert"),
        _ => ignore("not an event about a merge"),
    }
}

fn ignore(why: &str) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    Ok(Reading::Ignored(why.to_owned()))
}

fn merged(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let id = word(event, "/subject/id").ok_or_else(|| Malformed::new("a CDEvent without `subject.id`"))?;
    let Some(repository) = repository(event, &id) else {
        return ignore("a merge that does not say in which repository");
    };
    let Some(which) = which(&id) else {
        return ignore("a merge that does not say of which change");
    };
    let at = event.pointer("/context/timestamp").and_then(time);
    let told = Unread { repository, which, forge: forge(event, &id), at };
    Ok(Reading::Event(vec![MergeEvent::Unread(told)]))
}

/// Where the repository may be told: in its own id, in its addresses, in both, or where the event is from. A path alone
/// is a repository only in the first: `/event/source/123` is none.
fn repository(event: &Value, id: &str) -> Option<Repository> {
    let content = |name: &str| word(event, &format!("/subject/content/repository/{name}"));
    let in_address = |place: &str| repository_in(before_number(place)).filter(|_| place.contains("://"));
    // As a text, in events of those who wrote it by hand.
    let own = content("id").or_else(|| word(event, "/subject/content/repository"));
    let of_own = || repository_at(before_number(own.as_deref()?));
    let of_address =
        || ["source", "url", "viewUrl"].into_iter().filter_map(content).find_map(|place| in_address(&place));
    // `https://github.com/owner` and `name`; `my-git.example` and `owner/name` is told by the id.
    let of_both = || in_address(&format!("{}/{}", content("source")?.trim_end_matches('/'), own.as_deref()?));
    // `my-git.example/owner/name`
    let of_host = || repository_at(&content("source").filter(|source| host(source).is_some())?);
    let elsewhere = || {
        let places = ["/subject/source", "/context/source"].into_iter().filter_map(|place| word(event, place));
        [id.to_owned()].into_iter().chain(places).find_map(|place| in_address(&place))
    };
    of_own().or_else(of_address).or_else(of_both).or_else(of_host).or_else(elsewhere)
}

/// The host of an address, with its scheme or without.
fn host(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().filter(|host| host.contains('.'))
}

/// The address of a change as far as its repository: `https://github.com/owner/name` of `.../owner/name/pull/12`.
fn before_number(address: &str) -> &str {
    let cut = BEFORE_NUMBERS.iter().filter_map(|word| address.find(&format!("/{word}/"))).min();
    cut.and_then(|cut| address.get(..cut)).unwrap_or(address).trim_end_matches("/-")
}

/// `12`, `pulls/12`, `!12`, `owner/name#12`, `PR-12`, `https://github.com/owner/name/pull/12/files`, a commit, or a name.
fn which(id: &str) -> Option<Which> {
    let id = id.trim().trim_end_matches('/');
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let path = id.split(['?', '#']).next().unwrap_or("");
    let in_path = path.split('/').collect::<Vec<_>>();
    let named = in_path.windows(2).find_map(|two| match two {
        [word, text] if BEFORE_NUMBERS.contains(&word.to_lowercase().as_str()) => number(text),
        _ => None,
    });
    let last = id.rsplit(['/', '#', '!', ':']).next().unwrap_or(id);
    let bare = ["PR-", "MR-", "pr-", "mr-"].iter().find_map(|start| last.strip_prefix(start)).unwrap_or(last);
    if let Some(number) = named.or_else(|| number(bare)) {
        return Some(Which::Number(number));
    }
    // An abbreviated commit has digits; a word of the letters a to f has none.
    let commit = last.parse().ok().filter(|_| last.bytes().any(|b| b.is_ascii_digit()));
    let name = || text::line(id.strip_prefix("refs/heads/").unwrap_or(id), 100);
    commit.map(Which::Commit).or_else(|| Some(Which::Named(name())).filter(|_| !last.is_empty()))
}

/// Whose forge it is, as far as the names of hosts tell.
fn forge(event: &Value, id: &str) -> Option<String> {
    let places =
        ["/subject/content/repository/source", "/subject/content/repository/url", "/subject/content/repository/id"];
    let elsewhere = ["/subject/source", "/context/source"];
    let told = places.iter().chain(&elsewhere).filter_map(|place| word(event, place)).chain([id.to_owned()]);
    let known = |text: String| {
        let host = host(&text)?.to_lowercase();
        HOSTS.iter().find(|(name, _)| host.contains(name)).map(|(_, forge)| (*forge).to_owned())
    };
    told.into_iter().find_map(known)
}

/// An instant with its offset; some senders write milliseconds since 1970, as a text.
fn time(given: &Value) -> Option<Timestamp> {
    let ms = |told: i64| Timestamp::from_millisecond(told).ok();
    let of_text = |told: &str| told.parse().ok().or_else(|| ms(told.parse().ok()?));
    let at = given.as_i64().and_then(ms).or_else(|| of_text(given.as_str()?));
    at.filter(|at| times::plausible(*at))
}

fn word(of: &Value, place: &str) -> Option<String> {
    let value = of.pointer(place)?;
    let number = || value.is_number().then(|| value.to_string());
    value.as_str().map(|text| text::line(text, 400)).or_else(number).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn event(id: &str, repository: Value) -> Value {
        json!({
            "context": { "version": "0.4.1", "id": "c-1", "source": "/ci/broker", "type": "dev.cdevents.change.merged.0.2.0", "timestamp": "2026-03-20T10:05:00Z" },
            "subject": { "id": id, "source": "/event/source/123", "type": "change", "content": { "repository": repository } },
        })
    }

    fn told(body: &Value) -> Result<Unread, String> {
        match read(body.to_string().as_bytes()) {
            Ok(Reading::Event(events)) => match events.as_slice() {
                [MergeEvent::Unread(told)] => Ok(told.clone()),
                other => Err(format!("{other:?}")),
            },
            Ok(Reading::Ignored(why)) => Err(why),
            Err(why) => Err(format!("malformed: {why}")),
        }
    }

    #[test]
    fn a_merge_is_told_in_each_mode() {
        let bare = event("pulls/12", json!({ "id": "openedx/edx-platform", "source": "https://github.com" }));
        let structured = json!({ "specversion": "1.0", "type": "x", "data": bare });
        for body in [&bare, &structured] {
            let told = told(body).unwrap();
            assert_eq!(told.repository.as_str(), "openedx/edx-platform");
            assert_eq!((told.which, told.forge.as_deref()), (Which::Number(12), Some("github")));
            assert_eq!(told.at, Some("2026-03-20T10:05:00Z".parse().unwrap()));
        }
    }

    #[test]
    fn changes_are_known_by_number_commit_or_name() {
        for (id, want) in [
            ("12", Which::Number(12)),
            ("!12", Which::Number(12)),
            ("#12", Which::Number(12)),
            ("PR-12", Which::Number(12)),
            ("owner/name!12", Which::Number(12)),
            ("https://github.com/o/n/pull/12/files", Which::Number(12)),
            ("https://gitlab.com/g/p/-/merge_requests/12?tab=x", Which::Number(12)),
            (SHA, Which::Commit(SHA.parse().unwrap())),
            ("commits/8c1c06a1a8", Which::Commit("8c1c06a1a8".parse().unwrap())),
            ("mySubject123", Which::Named("mySubject123".to_owned())),
            ("refs/heads/usama/fix", Which::Named("usama/fix".to_owned())),
            ("defaced", Which::Named("defaced".to_owned())),
            ("a\u{202e}\u{0}b", Which::Named("a b".to_owned())),
            ("0", Which::Named("0".to_owned())),
        ] {
            assert_eq!(which(id), Some(want), "{id}");
        }
        assert_eq!(which("#"), None);
    }

    #[test]
    fn the_repository_is_told_in_many_places() {
        let here = "openedx/edx-platform";
        for (id, repository, want) in [
            ("1", json!({ "id": here, "source": "my-git.example" }), Ok(here)),
            ("1", json!({ "id": "edx-platform", "source": "https://github.com/openedx" }), Ok(here)),
            ("1", json!({ "id": "r-7", "source": "https://git.example/openedx/edx-platform.git" }), Ok(here)),
            ("1", json!({ "id": "https://github.com/openedx/edx-platform" }), Ok(here)),
            ("1", json!({ "source": "my-git.example/openedx/edx-platform" }), Ok(here)),
            ("1", json!(here), Ok(here)),
            ("https://github.com/openedx/edx-platform/pull/1", json!(null), Ok(here)),
            ("https://gitlab.com/a/b/c/-/merge_requests/1", json!({}), Ok("a/b/c")),
            ("1", json!({ "id": "edx-platform" }), Err("a merge that does not say in which repository")),
            ("1", json!(7), Err("a merge that does not say in which repository")),
        ] {
            let found = told(&event(id, repository.clone())).map(|told| told.repository.to_string());
            let want = want.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, want, "{id} {repository}");
        }
    }

    #[test]
    fn what_is_no_merge_is_ignored() {
        let of = |kind: &str| json!({ "context": { "type": format!("dev.cdevents.{kind}.0.2.0") }, "subject": {} });
        for (body, want) in [
            (of("change.created"), "a change that was not merged yet"),
            (of("change.abandoned"), "the change was abandoned: nothing was merged"),
            (of("branch.deleted"), "a branch's or repository's event: nothing was merged"),
            (of("service.deployed"), "an event of a service or environment: send it to /deploy/cdevents"),
            (of("pipelineRun.finished"), "an event of a pipeline: send it to /deploy/cdevents"),
            (of("incident.detected"), "an incident: send it to /alert"),
            (of("ticket.closed"), "not an event about a merge"),
            (of("change.merged"), "malformed: a CDEvent without `subject.id`"),
            (json!({ "context": {}, "subject": {} }), "malformed: a CDEvent without `context.type`"),
            (json!([]), "not a CDEvent"),
        ] {
            assert_eq!(told(&body).unwrap_err(), want);
        }
    }
}
