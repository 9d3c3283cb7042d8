//! An incident as a document for its retrospective: while it is open, when it is over, and when it has left the working set.

use aws::Request;
use aws::links::Action;
use expect_test::expect;
use house_tests::{Stage, commit, configuration};
use jiff::tz::TimeZone;
use recent_deployers::hands::Hands;
use recent_deployers::server::{self, Board};
use serde_json::Value;
use tokio::net::TcpListener;

const HOSTILE: &str = "fix | @all [x](https://evil.example) <img src=x>\n# now";

/// Two changes are live and something fires; the first of the two was called so by somebody who means harm.
async fn failing() -> Stage {
    let mut day = Stage::with(&configuration(&["edxapp"]), |_| {}).await;
    let mut merged = day.merged("feanil", 12);
    merged["pull_request"]["title"] = HOSTILE.into();
    day.github("/merge/github", &merged).await;
    day.at("Fri 12:01").await.merge("usama", 13).await;
    day.at("Fri 12:05").await.deploy("prod", "success", 13).await;
    day.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    day
}

/// Somebody takes it, it is over, and it is known which change it was.
async fn over(mut day: Stage) -> Stage {
    let id = day.incident("edxapp").await.id;
    let link = |day: &Stage, who: &str| day.link(Action::Acknowledge(id.clone()), who);
    let other = format!("do=not-mine&change=openedx/edx-platform@{}", commit(12));
    day.at("Fri 12:12").await;
    assert_eq!(day.post(&link(&day, "usama"), vec![], other.as_bytes()).await.status, 200);
    day.at("Fri 12:14").await;
    assert_eq!(day.post(&link(&day, "feanil"), vec![], b"do=acknowledge").await.status, 200);
    day.at("Fri 12:40").await.alert("edxapp", "Fri 12:09", true).await;
    let judged = format!("do=judge&change=openedx/edx-platform@{}", commit(12));
    assert_eq!(day.post(&link(&day, "olga"), vec![], judged.as_bytes()).await.status, 200);
    day
}

async fn markdown(day: &Stage, id: &str, query: &str) -> String {
    let path = format!("/incidents/{id}.md");
    let answer = day.bundle.route(Request::new("GET", &path, vec![], vec![]).with_query(query)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// With the characters that have no width as something that is seen.
fn seen(text: &str) -> String {
    text.replace('\u{200b}', "¦")
}

async fn exported(day: &Stage, id: &str) -> Value {
    let answer = day.get(&format!("/incidents/{id}/export.json")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn an_open_incident_is_written_as_far_as_it_has_come() {
    let day = failing().await;
    let id = day.incident("edxapp").await.id.to_string();
    let text = markdown(&day, &id, "zone=Europe%2FStockholm").await;
    expect![[r#"
        # \[critical\] edxapp production: HighErrorRate

        |  |  |
        | --- | --- |
        | Incident | [edxapp-a9g265th](<https://deployers.example.com/incidents/edxapp-a9g265th>) |
        | Service | edxapp, production |
        | State | paged |
        | Summary | 7 %¦ of requests fail |
        | What it was | nobody has said |

        ## What it took

        | UTC | Europe/Stockholm | What | After |
        | --- | --- | --- | --- |
        | 2026-03-20 12:09:00 | Fri 13:09 | Began |  |
        | 2026-03-20 12:10:00 | Fri 13:10 | Detected | 1 min |
        | 2026-03-20 12:10:00 | Fri 13:10 | First page | 1 min |

        ## Timeline

        | UTC | Europe/Stockholm | What | Why |
        | --- | --- | --- | --- |
        | 2026-03-20 12:09:00 | Fri 13:09 | HighErrorRate \[critical\] began | 7 %¦ of requests fail |
        | 2026-03-20 12:10:00 | Fri 13:10 | we heard of it |  |
        | 2026-03-20 12:10:00 | Fri 13:10 | paged usama (first-responder) | edx-platform#¦13: likely the cause by 61 %¦; accepted by terminal |

        ## Suspects

        |  | Change | Who answers | Likely | Evidence |
        | --- | --- | --- | --- | --- |
        | 1 | [edx-platform#¦13](<https://github.com/openedx/edx-platform/pull/13>) change number 13 | usama | about 60 % | live 4 min before the alert; 4 files changed, +16 -3 |
        | 2 | [edx-platform#¦12](<https://github.com/openedx/edx-platform/pull/12>) fix \| @¦all \[x\](https:¦//evil.example) &lt;img src=x\> #¦ now | feanil | about 25 % | live 4 min before the alert; says that it mends something; 4 files changed, +16 -3 |

        ## Pages

        | UTC | Europe/Stockholm | Who | Step | Why | Arrived |
        | --- | --- | --- | --- | --- | --- |
        | 2026-03-20 12:10:00 | Fri 13:10 | usama | first-responder | edx-platform#¦13: likely the cause by 61 %¦ | yes: accepted by terminal |

        ## People

        | Who | Part |
        | --- | --- |
        | feanil | answers for a suspect |
        | usama | answers for a suspect, paged |

        ## Alerts

        | UTC | Europe/Stockholm | Alert | Severity | Summary |
        | --- | --- | --- | --- | --- |
        | 2026-03-20 12:09:00 | Fri 13:09 | [HighErrorRate](<https://prometheus.example.com/graph>) | critical | 7 %¦ of requests fail |

        ## What went well

        -

        ## What to change

        -
    "#]].assert_eq(&seen(&text));
    for (query, status) in [("zone=Mars%2FBase", 400), ("zon=UTC", 400), ("zone=UTC&zone=UTC", 400)] {
        let path = format!("/incidents/{id}.md");
        let answer = day.bundle.route(Request::new("GET", &path, vec![], vec![]).with_query(query)).await;
        assert_eq!(answer.status, status, "{query}");
    }
    for path in ["/incidents/edxapp-aaaaaaaa.md", "/incidents/edxapp-aaaaaaaa/export.json", "/incidents/.md"] {
        assert_eq!(day.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_over_is_written_whole_and_the_same_when_it_has_left_the_working_set() {
    let mut day = over(failing().await).await;
    let id = day.incident("edxapp").await.id.to_string();
    let (text, json) = (markdown(&day, &id, "").await, exported(&day, &id).await);
    expect![[r#"
        # \[critical\] edxapp production: HighErrorRate

        |  |  |
        | --- | --- |
        | Incident | [edxapp-a9g265th](<https://deployers.example.com/incidents/edxapp-a9g265th>) |
        | Service | edxapp, production |
        | State | judged |
        | Summary | 7 %¦ of requests fail |
        | What it was | edx-platform#¦12, says olga |

        ## What it took

        | UTC | What | After |
        | --- | --- | --- |
        | 2026-03-20 12:09:00 | Began |  |
        | 2026-03-20 12:10:00 | Detected | 1 min |
        | 2026-03-20 12:10:00 | First page | 1 min |
        | 2026-03-20 12:14:00 | Acknowledged | 5 min |
        | 2026-03-20 12:40:00 | Resolved | 31 min |

        ## Timeline

        | UTC | What | Why |
        | --- | --- | --- |
        | 2026-03-20 12:09:00 | HighErrorRate \[critical\] began | 7 %¦ of requests fail |
        | 2026-03-20 12:10:00 | we heard of it |  |
        | 2026-03-20 12:10:00 | paged usama (first-responder) | edx-platform#¦13: likely the cause by 61 %¦; accepted by terminal |
        | 2026-03-20 12:12:00 | paged feanil (first-responder) | edx-platform#¦12: likely the cause by 63 %¦; accepted by terminal |
        | 2026-03-20 12:12:00 | usama says that it is not theirs, but edx-platform#¦12 |  |
        | 2026-03-20 12:14:00 | paged anna (rotation) | nobody acknowledged within 5 min; accepted by terminal |
        | 2026-03-20 12:14:00 | feanil acknowledged |  |
        | 2026-03-20 12:40:00 | resolved | no alert fires any more |
        | 2026-03-20 12:40:00 | It was edx-platform#¦12, says olga |  |

        ## Suspects

        |  | Change | Who answers | Likely | Evidence |
        | --- | --- | --- | --- | --- |
        | 1 | [edx-platform#¦13](<https://github.com/openedx/edx-platform/pull/13>) change number 13 | usama | about 60 % | live 4 min before the alert; 4 files changed, +16 -3 |
        | 2 | [edx-platform#¦12](<https://github.com/openedx/edx-platform/pull/12>) fix \| @¦all \[x\](https:¦//evil.example) &lt;img src=x\> #¦ now (it was this) | feanil | about 25 % | live 4 min before the alert; says that it mends something; 4 files changed, +16 -3 |

        ## Pages

        | UTC | Who | Step | Why | Arrived |
        | --- | --- | --- | --- | --- |
        | 2026-03-20 12:10:00 | usama | first-responder | edx-platform#¦13: likely the cause by 61 %¦ | yes: accepted by terminal |
        | 2026-03-20 12:12:00 | feanil | first-responder | edx-platform#¦12: likely the cause by 63 %¦ | yes: accepted by terminal |
        | 2026-03-20 12:14:00 | anna | rotation | nobody acknowledged within 5 min | yes: accepted by terminal |

        ## People

        | Who | Part |
        | --- | --- |
        | anna | paged |
        | feanil | answers for a suspect, paged, acknowledged |
        | olga | judged |
        | usama | answers for a suspect, paged, not theirs |

        ## Alerts

        | UTC | Alert | Severity | Summary |
        | --- | --- | --- | --- |
        | 2026-03-20 12:09:00 | [HighErrorRate](<https://prometheus.example.com/graph>) | critical | 7 %¦ of requests fail |

        ## What went well

        -

        ## What to change

        -
    "#]].assert_eq(&seen(&text));
    assert_eq!(json["measures"]["acknowledge"], 5 * 60, "12:09 to 12:14");
    assert_eq!(json["measures"]["resolve"], 31 * 60, "12:09 to 12:40");
    assert_eq!((&json["verdict"]["by"], &json["verdict"]["label"]), (&"person".into(), &"edx-platform#12".into()));
    assert_eq!(json["pages"].as_array().unwrap().len(), 3, "usama, feanil, and anna when nobody had taken it");
    assert_eq!(json["pages"][0]["arrived"], true);
    let page = day.get(&format!("/incidents/{id}")).await.body;
    assert!(page.contains(&format!("/incidents/{id}.md")) && page.contains(&format!("/incidents/{id}/export.json")));
    day.at("Sun 12:00").await;
    assert!(day.situation("edxapp").await.incidents.is_empty(), "it has left");
    assert_eq!(markdown(&day, &id, "").await, text);
    assert_eq!(exported(&day, &id).await, json);
}

#[tokio::test]
async fn the_command_prints_what_the_program_says() {
    let day = over(failing().await).await;
    let id = day.incident("edxapp").await.id.to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, day.bundle.clone(), Board::ThisMachine, std::future::pending()));
    let (configuration, secrets) = (&day.house.configuration, &day.house.secrets);
    let hands = Hands { configuration, secrets, address, now: day.clock.now() };
    let zone = TimeZone::get("Asia/Karachi").unwrap();
    let text = hands.export(&id, false, &zone).await.unwrap();
    assert_eq!(format!("{text}\n"), markdown(&day, &id, "zone=Asia/Karachi").await);
    assert!(text.contains("| UTC | Asia/Karachi |"), "{text}");
    let json: Value = serde_json::from_str(&hands.export(&id, true, &zone).await.unwrap()).unwrap();
    assert_eq!(json, exported(&day, &id).await);
    let missing = hands.export("edxapp-aaaaaaaa", false, &zone).await.unwrap_err();
    assert!(missing.to_string().contains("not among the incidents"), "{missing}");
}
