//! The commands by which people ask and act, typed while the program runs: what they print, where, and how they end. What comes of
//! each is told by the stories of `whole`; here is the way from the command line and back, and what scripts go by: exit codes.

use std::path::{Path, PathBuf};
use std::process::Command;

use house_tests::program::Program;
use house_tests::{binary, now, root};
use jiff::SignedDuration;

use crate::command_line::{get, scratch, text, three};

/// The program on one machine, and a terminal beside it.
struct Terminal {
    program: Program,
    data: PathBuf,
}

/// What a command ended with, and what it said: what it printed if all went well, its complaint otherwise.
struct Said(i32, String);

impl Terminal {
    async fn with_an_incident(name: &str) -> Self {
        let data = scratch(name);
        let mut program = Program::start(&data, &root().join("infra/recent-deployers.toml"));
        three(&program, &data).await;
        program.wait_for("PAGE to Feanil Patel");
        Self { program, data }
    }

    /// Types a command: its words, and those between quotation marks as one.
    fn types(&self, line: &str) -> Said {
        let quoted = line.split('"').enumerate();
        let words =
            quoted.flat_map(|(i, part)| if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() });
        let listen = self.program.base.trim_start_matches("http://");
        let output = Command::new(binary("recent-deployers"))
            .args(["--listen", listen, "--data"])
            .arg(&self.data)
            .args(words)
            .current_dir(root())
            .output()
            .unwrap();
        let code = output.status.code().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        // One of the two is silent, but for questions: their answer is printed whatever it is.
        assert!(out.is_empty() || err.is_empty(), "{line}: {out}{err}");
        Said(code, out + &err)
    }

    /// Types each, and looks for how it ends and for what it says.
    fn expects(&self, table: &[(&str, i32, &str)]) {
        for (line, code, want) in table {
            let Said(ended, said) = self.types(line);
            assert!(
                ended == *code && said.contains(want),
                "{line}\n  ended with {ended} and said: {said}\n  not: {code} {want}"
            );
        }
    }

    async fn incident(&self) -> String {
        let page = get(&self.program, "/services/edxapp").await;
        page.split("/incidents/")
            .nth(1)
            .unwrap()
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .next()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.program.kill();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

#[tokio::test]
async fn responsibility_is_moved_from_a_terminal_and_each_command_says_what_came_of_it() {
    let at = Terminal::with_an_incident("hands").await;
    at.expects(&[
        ("who edxapp", 0, "  edx-platform#12          Feanil Patel         on call until "),
        ("who nothing", 1, "recent-deployers: no service is called nothing; there are discovery, edxapp, unmapped\n"),
        (
            r##"hand-over edxapp "#13" --to usama --as feanil"##,
            1,
            "not one change of edxapp is called #13; there are edx-platform#12\n",
        ),
        (
            r##"hand-over edxapp "#12" --to usama --as feanil"##,
            0,
            "Handed over. Usama Sadiq has it now, and was told.\n",
        ),
        ("who", 0, "Usama Sadiq          on call until "),
        ("answer edxapp 8c1c06a yes --as anna", 1, "recent-deployers: Nothing was done. "),
        (
            r#"take edxapp --for "1 h" --as anna"#,
            0,
            "On call. Anna Lindqvist has the pager of edxapp; the board shows it.\n",
        ),
        ("who edxapp", 0, "Anna Lindqvist has the pager until "),
        ("give-back edxapp --as anna", 0, "Given back. You no longer have the pager of edxapp.\n"),
        ("drill edxapp --person anna --as olga", 0, "On its way. A test page goes to Anna Lindqvist; "),
        (
            r#"pause edxapp --because "database move" --for "2 h" --as olga"#,
            0,
            "Paused. The pipeline of edxapp is paused; ",
        ),
        ("who edxapp", 0, "by Olga Nowak: database move.\n"),
        ("resume edxapp --as olga", 0, "Resumed. The pipeline of edxapp goes on.\n"),
        (
            "maintain edxapp 30m upgrading the database --as olga",
            0,
            "Under maintenance. Nobody is paged for edxapp until ",
        ),
        ("maintain edxapp --end --as olga", 0, "Maintenance ended. What fires in edxapp pages again.\n"),
        ("mode edxapp notify too many wrong pages --as olga", 0, "Mode notify. In edxapp people hear of it by chat; "),
        ("unlearn edxapp --as olga", 0, "Nothing to do. That is so already.\n"),
        (
            "resume edxapp --as nobody",
            1,
            "nobody in the roster is called nobody: say who you are with --as <id of the roster>\n",
        ),
    ]);
}

#[tokio::test]
async fn a_script_is_told_by_the_exit_code_whether_it_may_go_on() {
    let at = Terminal::with_an_incident("may").await;
    let until: String = (now() + SignedDuration::from_hours(48)).to_string().chars().take(10).collect();
    let declare = |deployments: &str, more: &str| {
        format!(
            r#"freeze "big sale" --until "{until} 09:00" --called sale --merges advise --deployments {deployments} {more} --as olga"#
        )
    };
    at.expects(&[
        ("may-deploy edxapp --environment prod --commit 8c1c06a1", 0, "yes\n"),
        (
            "may-deploy nothing",
            2,
            "The bundle answered 404. no such address: no service of the configuration is called so\n",
        ),
        (&declare("require", "--preview"), 0, "Nothing was declared.\n"),
        ("may-deploy edxapp", 0, "yes\n"),
        (&declare("require", ""), 0, "It is called sale.\n"),
        ("may-deploy edxapp", 1, "no\n  big sale until "),
        ("let-through edxapp --as olga", 1, "Nothing was done. None of its pipelines holds for a freeze.\n"),
        ("may-merge openedx/edx-platform --number 14", 0, "yes, and please wait\n  big sale until "),
        ("may-merge openedx/edx-platform --number 14 --advised", 1, "yes, and please wait\n"),
        (
            "expedite openedx/edx-platform --as feanil",
            1,
            "openedx/edx-platform is not a pull request: write one such as openedx/edx-platform#12\n",
        ),
        (
            "expedite openedx/edx-platform#14 checkout fails --as feanil",
            0,
            "Noted. An approver has to sign; they are told.\n",
        ),
        ("may-deploy edxapp --number 14", 1, "no\n"),
        ("expedite openedx/edx-platform#14 --sign --as usama", 1, "recent-deployers: Nothing was done. "),
        (
            "expedite openedx/edx-platform#14 --sign --as olga",
            0,
            "edx-platform#14 may pass. Whoever asked has the pager for it.\n",
        ),
        ("may-deploy edxapp --number 14", 0, "  openedx/edx-platform#14 may pass, by feanil: checkout fails\n"),
        ("may-deploy edxapp", 1, "no\n"),
        ("expedite openedx/edx-platform#14 --withdraw --as feanil", 0, "Noted. It was taken back.\n"),
        (&declare("advise", ""), 0, "It is called sale.\n"),
        ("may-deploy edxapp", 0, "yes, and please wait\n"),
        ("may-deploy edxapp --advised", 1, "yes, and please wait\n"),
        ("thaw sale --as olga", 0, "The freeze is over. sale holds nothing any more.\n"),
        ("thaw sale --as olga", 1, "recent-deployers: Nothing was done. No freeze sale is under way or ahead.\n"),
        ("may-deploy edxapp --advised", 0, "yes\n"),
    ]);
}

#[tokio::test]
async fn what_is_known_is_printed_for_people_and_for_machines() {
    let at = Terminal::with_an_incident("known").await;
    let incident = at.incident().await;
    at.expects(&[
        (&format!("explain {incident}"), 0, "Feanil Patel    first-responder  paged"),
        (&format!("export {incident}"), 0, "# \\[critical\\] edxapp production: HighErrorRate\n"),
        (&format!("export {incident} --json"), 0, "\"environment\": \"production\""),
        (
            "explain edxapp-k3v7q2ma",
            1,
            "edxapp-k3v7q2ma is not among the incidents that the bundle remembers; the board at / shows them\n",
        ),
        ("measures", 0, "edxapp   "),
        ("measures --service edxapp --csv", 0, "service,period,from,until,days,incidents,"),
        ("measures --service edxapp --json", 0, "\"service\":\"edxapp\""),
        ("measures --from yesterday", 1, "The bundle answered 400. "),
        ("audit edxapp", 0, "all of it is as it was sealed\n"),
        ("audit edxapp --verify", 0, "all of it is as it was sealed\n"),
        ("audit edxapp --from 2026-03-20", 1, "`from` is before `until`, and at most 31 days before it\n"),
        (
            "audit edxapp --from yesterdayish",
            1,
            "yesterdayish is not a time: write one such as \"Mon 09:00\", 2026-03-20 or 2026-03-20T18:00Z\n",
        ),
        (
            "person export feanil --as usama",
            1,
            "Nothing was done. What is kept of a person is exported and removed by somebody who owns a service.\n",
        ),
        (
            "person remove feanil --as olga",
            1,
            "Feanil is still in the roster: take them out of the configuration first, or say `--yes`.\n",
        ),
        ("connect alertmanager", 0, "/alert/alertmanager\n"),
        ("connect nothing", 1, "recent-deployers: no sender is called nothing; there are github, "),
    ]);
    let Said(code, export) = at.types("person export feanil --as olga");
    let export: serde_json::Value = serde_json::from_str(&export).unwrap();
    assert!(code == 0 && !export["items"].as_array().unwrap().is_empty(), "a file of JSON, and nothing before it");
    let secret = std::fs::read_to_string(at.data.join("secrets/github-webhook")).unwrap();
    let Said(_, said) = at.types("connect github");
    assert!(said.contains(&format!("{}/merge/github", at.program.base)) && said.contains(secret.trim()), "{said}");
}

#[tokio::test]
async fn where_nothing_runs_a_command_says_so() {
    let mut at = Terminal::with_an_incident("gone").await;
    at.program.kill();
    let gone = format!("nothing answers at {}: is `cargo run` on, and --listen the same?", at.program.base);
    at.expects(&[
        ("who", 1, &gone),
        ("take edxapp --as anna", 1, &gone),
        ("measures", 1, &gone),
        // A pipeline that cannot be told waits.
        ("may-deploy edxapp", 2, &gone),
        ("may-merge openedx/edx-platform", 2, &gone),
    ]);
    // What needs nobody else is done all the same.
    at.expects(&[("connect github", 0, "/merge/github, content type application/json, secret ")]);
}

#[tokio::test]
async fn what_was_recorded_is_played_again() {
    let data = scratch("recorded");
    let file = data.join("recorded.jsonl");
    let mut child = Program::recording(&data, &root().join("infra/recent-deployers.toml"), &file);
    three(&child, &data).await;
    child.wait_for("PAGE to Feanil Patel");
    child.kill();
    let with = |file: &Path, more: &[&str]| {
        Command::new(binary("recent-deployers"))
            .arg("replay")
            .arg(file)
            .args(more)
            .current_dir(root())
            .output()
            .unwrap()
    };
    let replay = |file: &Path| with(file, &[]);
    let played = replay(&file);
    let said = text(&played.stdout);
    assert!(played.status.success(), "{}", text(&played.stderr));
    assert!(
        said.contains("3 events replayed")
            && said.contains("[critical] edxapp production: HighErrorRate: paged feanil"),
        "{said}"
    );
    // Laid against other numbers, on paper, for machines, with every decision in a file.
    let (log, page) = (data.join("log.jsonl"), data.join("page.html"));
    let (log_path, page_path) = (log.to_string_lossy().into_owned(), page.to_string_lossy().into_owned());
    let other = with(&file, &["--against", "rotation_after=1m", "--log", &log_path, "--report", &page_path]);
    let said = text(&other.stdout);
    assert!(said.contains("difference") && said.contains("  to rotation or owner"), "{said}{}", text(&other.stderr));
    assert!(std::fs::read_to_string(&log).unwrap().lines().count() > 3);
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    let machines: serde_json::Value = serde_json::from_slice(&with(&file, &["--json"]).stdout).unwrap();
    assert_eq!(
        (&machines["outcome"]["events"], &machines["against"]),
        (&serde_json::json!(3), &serde_json::Value::Null)
    );
    let proposing = text(&with(&file, &["--mode", "propose"]).stdout);
    assert!(proposing.contains("evert"), "{proposing}");
    for (more, want) in [
        (&["--against", "rotation_after=soon"][..], "rotation_after"),
        (&["--against", "nowhere.toml"], "nowhere.toml cannot be read"),
        (&["--kind", "export"], "--lenient leaves them out"),
        (&["--report", "/dev/full/page.html"], "cannot write /dev/full/page.html"),
    ] {
        let refused = with(&file, more);
        assert_eq!(refused.status.code(), Some(1), "{more:?}: {}", text(&refused.stdout));
        assert!(text(&refused.stderr).contains(want), "{more:?}: {}", text(&refused.stderr));
    }
    let two = with(&file, &[file.to_str().unwrap()]);
    assert!(text(&two.stderr).contains("one archive at a time"), "{}", text(&two.stderr));
    let missing = replay(&data.join("nowhere.jsonl"));
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("cannot read"), "{}", text(&missing.stderr));
    std::fs::remove_dir_all(data).unwrap();
}
