//! The program as a new user runs it: `demo`, `explain`, `check`, and the bundle itself, killed and started again.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use aws::clients::Http;
use expect_test::{expect, expect_file};
use house_tests::peer::Peer;
use house_tests::program::Program;
use house_tests::{binary, root};
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};

fn run(arguments: &[&str]) -> Output {
    Command::new(binary("recent-deployers")).args(arguments).current_dir(root()).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_demo_tells_its_story_message_by_message() {
    let demo = run(&["demo"]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    expect_file!["../../golden/demo.txt"].assert_eq(&text(&demo.stdout));
}

#[test]
fn explain_prints_the_event_or_why_it_is_ignored_and_refuses_bad_input_with_one_line() {
    let folder = scratch("explain");
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let merged = payloads::pull_request_merged(&merge("2026-03-20T15:00:00Z".parse().unwrap()));
    let explained = run(&["explain", "on-merge", "github", &file("merged.json", &merged.to_string())]);
    assert!(explained.status.success());
    expect![[r#"
        [
          {
            "merged": {
              "author": "github:feanil",
              "base": "master",
              "base_is_default": true,
              "id": {
                "commit": "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1",
                "repository": "openedx/edx-platform"
              },
              "kind": {
                "pull_request": {
                  "number": 12
                }
              },
              "merged_at": "2026-03-20T15:00:00Z",
              "merger": {
                "credit": "merged",
                "login": "github:feanil"
              },
              "size": {
                "added": 16,
                "deleted": 3,
                "files": 4
              },
              "title": "change number 12",
              "url": "https://github.com/openedx/edx-platform/pull/12"
            }
          },
          {
            "pull": [
              "openedx/edx-platform",
              {
                "gone": {
                  "at": "2026-03-20T15:00:00Z",
                  "number": 12
                }
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&text(&explained.stdout));

    let ignored = run(&["explain", "on-deploy", "github", &file("ping.json", "{\"zen\":\"x\",\"hook\":{}}")]);
    assert_eq!(text(&ignored.stdout), "{\n  \"ignored\": \"ping: the webhook is connected\"\n}\n");

    let (bad, deep) = (file("bad.json", "{\"a\":"), file("deep.json", &"[".repeat(200_000)));
    for (arguments, message) in [
        (
            ["explain", "on-merge", "github", bad.as_str()],
            "recent-deployers: the payload cannot be read: not the JSON that was expected at line 1, column 5\n",
        ),
        (
            ["explain", "on-merge", "github", deep.as_str()],
            "recent-deployers: the payload cannot be read: not the JSON that was expected at line 1, column 128\n",
        ),
        (
            ["explain", "on-merge", "gitlub", bad.as_str()],
            "recent-deployers: on-merge has no sender gitlub; there are github, gitlab, bitbucket, bitbucket-server, gitea, azure, cdevents\n",
        ),
        (
            ["explain", "on-page", "github", bad.as_str()],
            "recent-deployers: on-page is not a function that reads payloads; there are on-merge, on-deploy and on-alert\n",
        ),
        (
            ["explain", "on-merge", "github", "absent.json"],
            "recent-deployers: absent.json cannot be read: No such file or directory (os error 2)\n",
        ),
    ] {
        let refused = run(&arguments);
        assert_eq!((refused.status.code(), text(&refused.stderr).as_str()), (Some(2), message));
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn check_lists_every_problem_with_its_line() {
    let good = run(&["check"]);
    assert!(good.status.success(), "{}", text(&good.stderr));
    expect![[r#"
        infra/recent-deployers.toml is good: 2 services, 5 people, 4 senders
          discovery: openedx/course-discovery go live in production; turns last 1 h, at most 4 h; rotation: Anna Lindqvist; mode manual: nobody is paged
          edxapp: openedx/edx-platform go live in production; turns last 1 h, at most 4 h; rotation: Anna Lindqvist
          freeze gratitude-week, 1 time until 2060: please do not merge; nothing is deployed (every service)
    "#]]
    .assert_eq(&text(&good.stdout));

    let bad = root().join("tests/fixtures/problems.toml");
    let checked = Command::new(binary("recent-deployers"))
        .args(["check", "tests/fixtures/problems.toml"])
        .current_dir(root())
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(2), "{}", bad.display());
    expect_file!["../../golden/problems.txt"].assert_eq(&text(&checked.stderr));
}

#[test]
fn a_backtest_of_a_real_history_says_how_often_each_ranker_is_right() {
    let missing = run(&["backtest", "--history", "nowhere/acme__shop"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("nowhere/acme__shop is no history"), "{}", text(&missing.stderr));
    if !root().join("../shared/histories").exists() {
        println!("SKIPPED: there is no ../shared/histories");
        return;
    }
    let history = "../shared/histories/alphagov__frontend";
    let measured = run(&["backtest", "--history", history, "--window", "72h", "--json"]);
    assert!(measured.status.success(), "{}", text(&measured.stderr));
    let report: serde_json::Value = serde_json::from_slice(&measured.stdout).unwrap();
    assert_eq!((report["incidents"].as_u64(), report["median_candidates"].as_u64()), (Some(37), Some(4)));
    for ranker in ["ranker", "two_rules", "most_recent", "largest_diff", "random"] {
        for measure in ["hit_at_1", "hit_at_3", "hit_at_5", "mrr", "person_hit_at_1", "person_hit_at_3"] {
            let share = report[ranker][measure].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share), "{ranker} {measure}");
        }
    }
    let said = text(&run(&["backtest", history]).stdout);
    assert!(said.contains("The worst misses:") && said.contains(" was number "), "{said}");
}

#[test]
fn an_empty_secret_and_a_board_without_login_beyond_loopback_are_refused_at_the_start() {
    let data = scratch("empty-secret");
    std::fs::create_dir_all(data.join("secrets")).unwrap();
    std::fs::write(data.join("secrets/github-webhook"), "\n").unwrap();
    let path = data.to_string_lossy().into_owned();
    let started = run(&["--data", &path, "--listen", "127.0.0.1:0"]);
    assert_eq!(started.status.code(), Some(1));
    let said = text(&started.stderr);
    assert!(said.contains("the secret github-webhook is empty, which anybody could guess"), "{said}");
    let open = run(&["--data", &path, "--listen", "0.0.0.0:0"]);
    assert!(text(&open.stderr).contains("nobody signs in here"), "{}", text(&open.stderr));
    // Where people sign in it is served, once it is said where they come back to; and not to everybody at once.
    let config = data.join("sign-in.toml");
    let base = std::fs::read_to_string(root().join("infra/recent-deployers.toml")).unwrap();
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let own = |more: &str| {
        for name in ["CODEOWNERS", "calendars/holidays-se.ics"] {
            let to = data.join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(root().join("infra").join(name), to).unwrap();
        }
        std::fs::write(&config, format!("{more}{base}{sign_in}")).unwrap();
        config.to_string_lossy().into_owned()
    };
    let refused = |more: &str, listen: &str, also: &[&str]| {
        let config = own(more);
        let output = run(&[&["--data", &path, "--config", &config, "--listen", listen], also].concat());
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let said = refused("", "0.0.0.0:0", &[]);
    assert!(said.contains("people who sign in come back to `public_url`"), "{said}");
    let said = refused("", "127.0.0.1:0", &["--open-board"]);
    assert!(said.contains("take one of them away"), "{said}");
    let said = refused("public_url = \"http://deployers.example.com\"\n", "0.0.0.0:0", &[]);
    assert!(said.contains("`public_url` has to be an https address"), "{said}");
    std::fs::write(data.join("secrets/github-webhook"), "x\n").unwrap();
    let said = refused("public_url = \"https://deployers.example.com\"\n", "0.0.0.0:0", &[]);
    assert!(said.contains("the secret sign-in is not set"), "{said}");
}

pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("recent-deployers-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn merge(at: jiff::Timestamp) -> Merge<'static> {
    Merge {
        repository: "openedx/edx-platform",
        number: 12,
        title: "change number 12",
        author: "feanil",
        merger: "feanil",
        commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1",
        at,
    }
}

async fn post(program: &Program, path: &str, headers: &[(String, String)], body: String) -> u16 {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Http::new().send("POST", &format!("{}{path}", program.base), &headers, body.into_bytes(), 30).await.unwrap().status
}

pub async fn get(program: &Program, path: &str) -> String {
    let answer = Http::new().send("GET", &format!("{}{path}", program.base), &[], vec![], 30).await.unwrap();
    String::from_utf8(answer.body).unwrap()
}

/// A merge, a live deployment and an alert, now, signed with the secrets that the program made up.
pub async fn three(program: &Program, data: &Path) {
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the real clock")]
    let now = jiff::Timestamp::now();
    let secret = |name: &str| std::fs::read_to_string(data.join("secrets").join(name)).unwrap();
    let merged = payloads::pull_request_merged(&merge(now)).to_string();
    let merge = merge(now);
    let live = Deployment {
        repository: merge.repository,
        id: 1,
        environment: "production",
        commit: merge.commit,
        state: "success",
        created_at: now,
        at: now,
    };
    let live = payloads::deployment_status(&live).to_string();
    let alert = Alert {
        service: "edxapp",
        name: "HighErrorRate",
        summary: "7 % of requests fail",
        severity: "critical",
        started_at: now,
        ended_at: None,
    };
    let alert = payloads::alertmanager(&[alert]).to_string();
    for (path, body) in [("/merge/github", merged), ("/deploy/github", live)] {
        let headers = payloads::github_headers("", &secret("github-webhook"), body.as_bytes());
        assert_eq!(post(program, path, &headers, body).await, 200);
    }
    assert_eq!(
        post(program, "/alert/alertmanager", &payloads::token_headers(&secret("alertmanager")), alert).await,
        200
    );
}

#[tokio::test]
async fn three_signed_webhooks_page_the_merger_and_show_on_the_board_and_kill_9_loses_nothing() {
    let data = scratch("serve");
    let config = root().join("infra/recent-deployers.toml");
    let mut program = Program::start(&data, &config);
    three(&program, &data).await;
    program.wait_for("PAGE to Feanil Patel");
    program.wait_for("[critical] edxapp production: HighErrorRate");
    let board = get(&program, "/services/edxapp").await;
    for shown in ["Feanil Patel", "edx-platform#12", "Since <time", "likely the cause by"] {
        assert!(board.contains(shown), "{shown} is not on the board: {board}");
    }
    let head = Http::new().send("HEAD", &format!("{}/", program.base), &[], vec![], 30).await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0), "HEAD is GET without the body");
    let refused = post(&program, "/merge/github", &payloads::github_headers("", "a guess", b"{}"), "{}".into()).await;
    assert_eq!(refused, 401);
    let too_large = "x".repeat(aws::wire::MOST_BYTES + 1);
    assert_eq!(post(&program, "/merge/github", &[], too_large).await, 413);

    program.kill();
    let program = Program::start(&data, &config);
    let board = get(&program, "/services/edxapp").await;
    assert!(board.contains("On call now") && board.contains("edx-platform#12"), "started again it goes on: {board}");
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn a_page_that_no_receiver_took_before_kill_9_is_sent_when_the_program_starts_again() {
    let data = scratch("resume");
    let pager = Peer::start().await;
    let config = data.join("config.toml");
    let sample = std::fs::read_to_string(root().join("infra/recent-deployers.toml")).unwrap();
    std::fs::copy(root().join("infra/CODEOWNERS"), data.join("CODEOWNERS")).unwrap();
    let text = sample.replace("contacts = [\"terminal\"]", "contacts = [\"chat\"]");
    let receiver = format!("\n[receivers.chat]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"chat\"\n", pager.address);
    std::fs::File::create(&config).unwrap().write_all(format!("{text}{receiver}").as_bytes()).unwrap();
    std::fs::create_dir_all(data.join("calendars")).unwrap();
    let calendar = "calendars/holidays-se.ics";
    std::fs::copy(root().join("infra").join(calendar), data.join(calendar)).unwrap();
    let mut program = Program::start(&data, &config);
    for _ in 0..20 {
        pager.will_answer(503, "");
    }
    three(&program, &data).await;
    let page = |received: &[house_tests::peer::Received]| {
        received
            .iter()
            .filter(|r| r.body.contains("page.first-responder"))
            .map(|r| r.header("webhook-id").to_owned())
            .collect::<Vec<_>>()
    };
    let before = until(|| Some(page(&pager.received())).filter(|p| !p.is_empty())).await;
    assert!(!before.is_empty() && before.iter().all(|key| key == &before[0]), "one page, tried twice: {before:?}");
    // A delivery that is cut off holds its claim for a minute; this one has ended, in failure.
    while !get(&program, "/services/edxapp").await.contains("page to feanil not delivered") {
        tokio::task::yield_now().await;
    }
    program.kill();
    pager.forget_answers();
    let _again = Program::start(&data, &config);
    let after = until(|| Some(page(&pager.received())).filter(|p| !p.is_empty())).await;
    assert_eq!(after[0], before[0], "the same page, under the same key");
    std::fs::remove_dir_all(data).unwrap();
}

/// Looks until there is something; gives up after a minute and a half.
async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..900 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came");
}

/// A configuration of its own in `data`, whose people are reached by these contacts.
fn configured(data: &Path, contacts: &str, receiver: &str) -> PathBuf {
    let sample = std::fs::read_to_string(root().join("infra/recent-deployers.toml")).unwrap();
    std::fs::create_dir_all(data.join("calendars")).unwrap();
    for file in ["CODEOWNERS", "calendars/holidays-se.ics"] {
        std::fs::copy(root().join("infra").join(file), data.join(file)).unwrap();
    }
    let config = data.join("config.toml");
    std::fs::write(&config, sample.replace("contacts = [\"terminal\"]", contacts) + receiver).unwrap();
    config
}

#[tokio::test]
async fn a_terminal_that_nobody_reads_is_passed_over_and_nothing_panics() {
    let data = scratch("broken-pipe");
    let pager = Peer::start().await;
    let receiver = format!("\n[receivers.chat]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"chat\"\n", pager.address);
    let config = configured(&data, "contacts = [\"terminal\", \"chat\"]", &receiver);
    let mut child = Command::new(binary("recent-deployers"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .arg("--config")
        .arg(&config)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let board = lines.find(|line| line.contains("  board  ")).unwrap();
    lines.find(|line| line.contains("Ready.")).unwrap();
    drop(lines);
    let base = board.trim_start_matches("  board         ").trim_end_matches('/').to_owned();
    let (said, lines) = (Vec::new(), channel().1);
    let mut program = Program { child, lines, said, base };
    three(&program, &data).await;
    until(|| pager.received().iter().any(|r| r.body.contains("page.first-responder")).then_some(())).await;
    assert!(get(&program, "/services/edxapp").await.contains("accepted by chat"), "the board says who took it");
    program.kill();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut program.child.stderr.take().unwrap(), &mut said).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn what_cannot_be_printed_is_an_error_and_no_panic() {
    for arguments in [&["check"][..], &["demo"], &["explain", "on-deploy", "github", "/dev/stdin"]] {
        let mut child = Command::new(binary("recent-deployers"))
            .args(arguments)
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"{\"zen\":\"x\",\"hook\":{}}");
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("cannot print: No space left on device") && !said.contains("panicked"), "{said}");
    }
}

#[tokio::test]
async fn ctrl_c_waits_three_seconds_for_a_client_that_stalls_and_a_second_one_not_at_all() {
    for (presses, most) in [(1, 20), (2, 3)] {
        let data = scratch(&format!("stalls-{presses}"));
        let mut program = Program::start(&data, &root().join("infra/recent-deployers.toml"));
        let address = program.base.trim_start_matches("http://").to_owned();
        let mut stalled = std::net::TcpStream::connect(&address).unwrap();
        stalled.write_all(b"POST /merge/github HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").unwrap();
        // Answered after the other was read: the stalled request is under way.
        get(&program, "/services/edxapp").await;
        let pid = program.child.id().to_string();
        for _ in 0..presses {
            assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
            // It has heard it when it takes nobody any more.
            until(|| std::net::TcpStream::connect(&address).is_err().then_some(())).await;
        }
        let ended = tokio::task::spawn_blocking(move || (program.child.wait().unwrap(), program));
        let (status, _program) = tokio::time::timeout(Duration::from_secs(most), ended).await.unwrap().unwrap();
        assert!(status.success());
        std::fs::remove_dir_all(data).unwrap();
    }
}
