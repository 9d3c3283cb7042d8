//! The document for a retrospective, as whoever pastes it has it.

use expect_test::expect;

use super::*;
use crate::DeploymentState::Succeeded;
use crate::export::{Delivered, Happened, Told};
use crate::testing::{World, alert, at, change, deployment};
use crate::{Alert, ChangeId, Policy};

fn export(world: &World, told: Told) -> Export {
    let incident = &world.situation.incidents.values().next().unwrap().value;
    Export::of(incident, &Policy::default(), &world.settings.roster, told, world.now)
}

/// What is written so that nobody is mentioned and nothing linked is seen as `~`.
fn seen(text: &str) -> String {
    text.replace('\u{200b}', "~")
}

/// Two changes are live, it fires, the rotation takes it and says which change it was; then it is over.
fn night() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.merge(change(13, "usama", at("15:10")));
    world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    let other = Alert { url: Some("https://grafana.example.com/d/1".into()), ..alert("Latency", at("15:49"), None) };
    world.alert(&[alert("HighErrorRate", at("15:48"), None), other]);
    world.settle();
    world.until(at("15:58"));
    world.does("anna", |counter| counter.acknowledge()).unwrap();
    world.does("usama", |counter| counter.not_mine(None)).unwrap();
    let id = ChangeId { repository: crate::testing::repository(), commit: crate::testing::commit(12) };
    world.does("feanil", |counter| counter.judge(Some(&id))).unwrap();
    world.until(at("16:10"));
    world.alert(&["HighErrorRate", "Latency"].map(|name| alert(name, at("15:48"), Some(at("16:10")))));
    world.settle();
    world
}

fn told() -> Told {
    let words = |arrived, words: &str| Delivered { arrived, words: words.into() };
    Told {
        timeline: vec![Happened { at: at("15:50"), what: "it | fired".into(), why: "an alert".into() }],
        deliveries: vec![words(Some(true), "Slack took it"), words(Some(false), "nobody took it")],
    }
}

#[test]
fn a_night_is_written_down_whole_in_utc_and_in_the_readers_own_zone() {
    let zone = TimeZone::get("Asia/Karachi").unwrap();
    let sheet = Sheet { public_url: "https://deployers.example.com", zone: &zone };
    expect![[r#"
        # \[critical\] edxapp production: HighErrorRate

        |  |  |
        | --- | --- |
        | Incident | [edxapp-b5874hxs](<https://deployers.example.com/incidents/edxapp-b5874hxs>) |
        | Service | edxapp, production |
        | State | judged |
        | Summary | 7 %~ of requests fail |
        | What it was | edx-platform#~12, says Feanil |

        ## What it took

        | UTC | Asia/Karachi | What | After |
        | --- | --- | --- | --- |
        | 2026-03-20 15:48:00 | Fri 20:48 | Began |  |
        | 2026-03-20 15:50:00 | Fri 20:50 | Detected | 2 min |
        | 2026-03-20 15:50:00 | Fri 20:50 | First page | 2 min |
        | 2026-03-20 15:58:00 | Fri 20:58 | Acknowledged | 10 min |
        | 2026-03-20 16:10:00 | Fri 21:10 | Resolved | 22 min |

        ## Timeline

        | UTC | Asia/Karachi | What | Why |
        | --- | --- | --- | --- |
        | 2026-03-20 15:50:00 | Fri 20:50 | it \| fired | an alert |

        ## Suspects

        |  | Change | Who answers | Likely | Evidence |
        | --- | --- | --- | --- | --- |
        | 1 | [edx-platform#~13](<https://github.com/openedx/edx-platform/pull/13>) change number 13 | Usama | about 50 % | live 48 min before the alert |
        | 2 | [edx-platform#~12](<https://github.com/openedx/edx-platform/pull/12>) change number 12 (it was this) | Feanil | about 30 % | live 48 min before the alert |

        ## Pages

        | UTC | Asia/Karachi | Who | Step | Why | Arrived |
        | --- | --- | --- | --- | --- | --- |
        | 2026-03-20 15:50:00 | Fri 20:50 | Usama | first-responder | edx-platform#~13: likely the cause by 52 %~ | yes: Slack took it |
        | 2026-03-20 15:53:00 | Fri 20:53 | Feanil | next-responder | edx-platform#~12: likely the cause by 32 %~, and nobody acknowledged | NO: nobody took it |
        | 2026-03-20 15:54:00 | Fri 20:54 | Anna | rotation | nobody acknowledged within 5 min | not known: sent |

        ## People

        | Who | Part |
        | --- | --- |
        | Anna | paged, acknowledged |
        | Feanil | answers for a suspect, paged, judged |
        | Usama | answers for a suspect, paged, not theirs |

        ## Alerts

        | UTC | Asia/Karachi | Alert | Severity | Summary |
        | --- | --- | --- | --- | --- |
        | 2026-03-20 15:48:00 | Fri 20:48 | HighErrorRate | critical | 7 %~ of requests fail |
        | 2026-03-20 15:49:00 | Fri 20:49 | [Latency](<https://grafana.example.com/d/1>) | critical | 7 %~ of requests fail |

        ## What went well

        -

        ## What to change

        -
    "#]].assert_eq(&seen(&markdown(&export(&night(), told()), sheet)));
}

#[test]
fn what_is_not_there_is_said_and_utc_is_not_written_twice() {
    let mut world = World::new();
    world.now = at("15:00");
    world.alert(&[alert("HighErrorRate", at("14:59"), None)]);
    let mut export = export(&world, Told::default());
    (export.summary, export.alerts) = (String::new(), 3);
    (export.pages, export.people) = (vec![], vec![]);
    let want = expect![[r#"
            # \[critical\] edxapp production: HighErrorRate

            |  |  |
            | --- | --- |
            | Incident | [edxapp-mydf8gzf](<https://deployers.example.com/incidents/edxapp-mydf8gzf>) |
            | Service | edxapp, production |
            | State | paged |
            | Summary | none |
            | What it was | nobody has said |

            ## What it took

            | UTC | What | After |
            | --- | --- | --- |
            | 2026-03-20 14:59:00 | Began |  |
            | 2026-03-20 15:00:00 | Detected | 1 min |
            | 2026-03-20 15:00:00 | First page | 1 min |

            ## Timeline

            Nothing is known.

            ## Suspects

            No change went live lately.

            ## Pages

            Nobody was paged.

            ## People

            Nobody.

            ## Alerts

            | UTC | Alert | Severity | Summary |
            | --- | --- | --- | --- |
            | 2026-03-20 14:59:00 | HighErrorRate | critical | 7 %~ of requests fail |

            2 more fired, and were not kept in words.

            ## What went well

            -

            ## What to change

            -
        "#]];
    for name in ["UTC", "Etc/UTC"] {
        let zone = TimeZone::get(name).unwrap();
        let text = markdown(&export, Sheet { public_url: "https://deployers.example.com", zone: &zone });
        want.assert_eq(&seen(&text));
    }
}

#[test]
fn who_said_which_change_it_was_and_how_often_a_page_came_again_is_told() {
    let world = night();
    let mut export = export(&world, told());
    let label = literal("edx-platform#12");
    let said = |by, person: bool| {
        let mut judged = export.verdict.clone().unwrap();
        judged.by = by;
        judged.person = judged.person.filter(|_| person);
        verdict(&judged)
    };
    assert_eq!(said("person", true), format!("{label}, says Feanil"));
    assert_eq!(said("guess", true), format!("{label}, guesses Feanil"));
    assert_eq!(said("revert", false), format!("{label}, by its revert"));
    export.pages.truncate(1);
    for (again, want) in
        [(0, "yes: Slack took it |"), (1, "yes: Slack took it, again 1 time |"), (2, ", again 2 times |")]
    {
        export.pages[0].again = again;
        let text = pages(&export, Sheet { public_url: "", zone: &TimeZone::UTC });
        assert!(text.contains(want), "{text}");
    }
}
