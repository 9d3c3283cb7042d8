//! A clone with the reverts that forges write, and the same history as files: both are read the same.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use domain::rank::Table;
use expect_test::expect;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;
use crate::report;

/// A folder of our own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rd-backtest-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn git(&self, arguments: &[&str], hours: u32) -> String {
        let at = format!("{} +0000", 1_770_000_000 + i64::from(hours) * 3600);
        let ran = Command::new("git")
            .arg("-C")
            .arg(&self.0)
            .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .envs([("GIT_AUTHOR_DATE", &at), ("GIT_COMMITTER_DATE", &at)])
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .envs([("GIT_COMMITTER_NAME", "Forge"), ("GIT_COMMITTER_EMAIL", "noreply@forge.example")])
            .envs([("GIT_AUTHOR_NAME", "Forge"), ("GIT_AUTHOR_EMAIL", "noreply@forge.example")])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// A commit of one file, by somebody, so many hours after the beginning.
    fn commits(&self, hours: u32, who: &str, file: &str, message: &str) -> String {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{message}\n{hours}\n")).unwrap();
        self.git(&["add", "."], hours);
        self.git(&["commit", "-q", "-m", message, "--author", &format!("{who} <{who}@example.com>")], hours);
        self.git(&["rev-parse", "HEAD"], hours)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Two squashes of GitHub with a revert, a merge of GitLab with one, a merge of Bitbucket with one.
fn clone(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.git(&["init", "-q"], 0);
    folder.commits(0, "ann", "README.md", "Begin");
    folder.commits(1, "ann", "cart/total.py", "Count the cart (#11)");
    folder.commits(2, "ben", "cart/tax.py", "Tax (#12)");
    folder.commits(3, "cid", "help/page.html", "Help (#13)");
    folder.commits(4, "ann", "cart/tax.py", "Revert \"Tax\" (#14)\n\nReverts acme/shop#12");
    folder.git(&["checkout", "-q", "-b", "search"], 5);
    let search = folder.commits(5, "dee", "search/index.py", "Search");
    folder.git(&["checkout", "-q", "main"], 6);
    let body = "Search\n\nSee merge request acme/shop!15";
    folder.git(&["merge", "-q", "--no-ff", "search", "-m", "Merge branch 'search' into 'main'", "-m", body], 6);
    folder.commits(7, "ben", "cart/coupon.py", "Coupons (#16)");
    let body = format!("This reverts merge request !15\n\nThis reverts commit {search}.");
    folder.commits(8, "dee", "search/index.py", &format!("Revert \"Merge branch 'search' into 'main'\"\n\n{body}"));
    folder.git(&["checkout", "-q", "-b", "mail"], 9);
    folder.commits(9, "cid", "mail/send.py", "Mail");
    folder.git(&["checkout", "-q", "main"], 10);
    folder.git(&["merge", "-q", "--no-ff", "mail", "-m", "Merged in mail (pull request #17)", "-m", "Mail"], 10);
    folder.commits(11, "ann", "mail/send.py", "Revert \"Mail (pull request #17)\"");
    // A revert of a revert is a re-land and no incident.
    folder.commits(12, "ann", "mail/send.py", "Revert \"Revert \"Mail (pull request #17)\"\"");
    folder
}

#[test]
fn the_reverts_that_forges_write_are_found_in_a_clone() {
    let folder = clone("forges");
    let mut told = 0;
    let history = read(&folder.0, |done, all| told = done * 100 / all).unwrap();
    assert_eq!(told, 100);
    let line = |incident: &Incident| {
        let title = |i: usize| &history.changes[i].title;
        format!("{} <- {}, of {}", title(incident.culprit), title(incident.revert), incident.candidates.len())
    };
    let found: Vec<String> = history.incidents.iter().map(line).collect();
    expect![[r#"
        Tax (#12) <- Revert "Tax" (#14), of 4
        Merge branch 'search' into 'main' <- Revert "Merge branch 'search' into 'main'", of 7
        Merged in mail (pull request #17) <- Revert "Mail (pull request #17)", of 9"#]]
    .assert_eq(&found.join("\n"));
    let merged = &history.changes[5];
    assert_eq!((merged.paths.as_slice(), merged.files), (["search/index.py".to_owned()].as_slice(), 1));
}

/// The same history as `../shared/histories` would have it.
fn files(history: &History, folder: &Folder) -> PathBuf {
    let path = folder.0.join("acme__shop");
    let write = |kind: &str, lines: Vec<serde_json::Value>| {
        let file = fs::File::create(format!("{}.{kind}.jsonl.gz", path.display())).unwrap();
        let mut zip = GzEncoder::new(file, Compression::fast());
        lines.iter().for_each(|line| writeln!(zip, "{line}").unwrap());
        zip.finish().unwrap();
    };
    let sha = |i: usize| history.changes[i].commit.clone();
    let change = |change: &Landed| {
        let files: Vec<_> = change.paths.iter().map(|path| json!([path, -1, null])).collect();
        json!({ "sha": change.commit, "merged_at": change.merged_at.as_second(), "author": change.author,
            "bot": change.by_machine, "title": change.title, "n_commits": change.commits.unwrap_or(1),
            "is_revert": change.lands_again == Some(false), "reverts": change.reverts.map(sha),
            "n_files": change.files, "la": change.lines, "ld": 0, "files": files, "more": true })
    };
    write("changes", history.changes.iter().map(change).collect());
    let incident = |incident: &Incident| {
        let candidates: Vec<String> = incident.candidates.iter().map(|i| sha(*i)).collect();
        json!({ "id": incident.id, "alert_time": incident.alert_at.as_second(), "culprit": sha(incident.culprit),
            "candidates": candidates, "revert_sha": sha(incident.revert) })
    };
    write("incidents", history.incidents.iter().map(incident).collect());
    path
}

#[test]
fn a_clone_and_the_files_of_the_same_history_are_measured_alike() {
    let folder = clone("alike");
    let of_clone = read(&folder.0, |_, _| ()).unwrap();
    let of_files = History::read(&files(&of_clone, &folder)).unwrap();
    assert_eq!(of_files.name, "acme/shop");
    let measured =
        |history: &History| report::backtest(history, SignedDuration::from_hours(72), Table::shipped(), |_| ());
    let (a, b) = (measured(&of_clone), measured(&of_files));
    assert_eq!((a.incidents, a.median_candidates), (b.incidents, b.median_candidates));
    assert_eq!(a.ranker, b.ranker);
    assert_eq!((a.two_rules, a.random), (b.two_rules, b.random));
    let words = b.words();
    assert!(words.starts_with("acme/shop: 11 changes, 3 incidents with two suspects or more in 72 h"), "{words}");
}

#[test]
fn what_is_no_history_is_refused_by_name() {
    let folder = Folder::new("none");
    let refused = read(&folder.0, |_, _| ()).unwrap_err().to_string();
    assert!(refused.contains("not a git repository"), "{refused}");
    let refused = History::read(&folder.0.join("acme__shop")).unwrap_err().to_string();
    assert!(refused.ends_with("acme__shop.changes.jsonl.gz"), "{refused}");
    for (text, why) in [("{}", "line 1 of "), ("{", "line 1 of ")] {
        let path = folder.0.join("bad.changes.jsonl.gz");
        let mut zip = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap();
        let refused = History::read(&folder.0.join("bad")).unwrap_err().to_string();
        assert!(refused.starts_with(why), "{refused}");
    }
}
