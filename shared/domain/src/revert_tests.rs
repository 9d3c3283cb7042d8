//! What people and tools wrote about reverting, and what is read from it.

use proptest::prelude::*;

use super::{Claim, MOST_CLAIMS, Reverts, read};
use crate::ids::Repository;

fn repository() -> Repository {
    "openedx/edx-platform".parse().unwrap()
}

/// As a short text: `revert 1a2b3c4 #12 "Title"`, `reland ...`, `-` for an ordinary change.
fn said(title: &str, body: &str) -> String {
    let Some(Reverts { of, lands_again }) = read(title, body, &repository()) else { return "-".to_owned() };
    let mut text = if lands_again { "reland" } else { "revert" }.to_owned();
    for claim in of {
        text += &match claim {
            Claim::Commit(commit) => format!(" {commit}"),
            Claim::Number(number) => format!(" #{number}"),
            Claim::Title(title) => format!(" <{title}>"),
        };
    }
    text
}

const SHA: &str = "676104e2b1f0b4b8f3b0c2a3d4e5f60718293a4b";
const OTHER: &str = "a215868c1d2e3f405162738495a6b7c8d9e0f1a2";

fn check(cases: &[(&str, &str, &str)]) {
    for (title, body, want) in cases {
        let (body, want) = (body.replace("SHA", SHA).replace("OTHER", OTHER), want.replace("SHA", SHA));
        assert_eq!(said(title, &body), want.replace("OTHER", OTHER), "{title:?} {body:?}");
    }
}

#[test]
fn what_tools_write_is_read() {
    check(&[
        // git revert; of a merge the second commit is what remains, not what is taken back.
        ("Revert \"Fix it\"", "This reverts commit SHA.", "revert SHA <Fix it>"),
        ("Revert \"Fix it\"", "This reverts commit SHA, reversing\nchanges made to OTHER.", "revert SHA <Fix it>"),
        ("Reapply \"Fix it\"", "This reverts commit SHA.", "reland SHA <Fix it>"),
        ("Revert \"Reapply \"Fix it\"\"", "This reverts commit SHA.", "revert SHA <Reapply \"Fix it\">"),
        ("Revert \"Revert \"Fix it\"\"", "", "reland <Fix it>"),
        ("Revert \"Revert \"Revert \"Fix it\"\"\"", "", "revert <Revert \"Revert \"Fix it\"\">"),
        ("Revert \"Fix \"it\"\"", "", "revert <Fix \"it\">"),
        // GitHub's button, its squash and its merge.
        ("Revert \"Fix it\"", "Reverts openedx/edx-platform#123", "revert #123 <Fix it>"),
        ("Revert \"Fix it\"", "Reverts OpenedX/Edx-Platform#123\r\n\r\nIt broke #99.", "revert #123 <Fix it>"),
        ("Revert \"Fix it (#123)\" (#124)", "Reverts openedx/edx-platform#123", "revert #123 <Fix it (#123)>"),
        ("Revert \"Revert \"Fix it (#123)\" (#124)\" (#125)", "", "reland #124 <Fix it (#123)>"),
        (
            "Merge pull request #124 from openedx/revert-123-fix",
            "Revert \"Fix it\"\n\nReverts openedx/edx-platform#123",
            "revert #123 <Fix it>",
        ),
        ("Merge pull request #124 from openedx/fix", "Fix it", "-"),
        ("Merge pull request #124 from openedx/fix", "", "-"),
        // GitLab, Bitbucket, Gerrit, Mozilla.
        ("Revert \"Fix it\"", "This reverts merge request !12", "revert #12 <Fix it>"),
        ("Revert \"Fix it\"", "This reverts merge request openedx/edx-platform!12", "revert #12 <Fix it>"),
        ("Revert \"Fix it\"", "This reverts merge request other/project!12", "revert <Fix it>"),
        (
            "Merge branch 'revert-676104e2' into 'main'",
            "Revert \"Fix it\"\n\nSee merge request openedx/edx-platform!13",
            "revert <Fix it>",
        ),
        ("Revert \"Fix it (pull request #12)\"", "", "revert #12 <Fix it (pull request #12)>"),
        ("Revert \"Fix it\"", "This reverts pull request #12.\n\n> broken", "revert #12 <Fix it>"),
        ("Reland \"Fix it\"", "This is a reland of commit SHA\n\n> This reverts commit OTHER", "reland SHA <Fix it>"),
        ("Backed out changeset 676104e2b1f0 (bug 1621472) for failures", "", "revert 676104e2b1f0"),
    ]);
}

#[test]
fn what_people_write_is_read() {
    check(&[
        (
            "revert: let us never speak of it again",
            "Refs: SHA, OTHER",
            "revert SHA OTHER <let us never speak of it again>",
        ),
        ("revert(lms)!: feat: fix it (#13)", "This reverts commit SHA.", "revert SHA <feat: fix it>"),
        ("Fix it", "Refs: SHA", "-"),
        ("fix(sso): Revert \"Fix it\" (#13)", "", "revert <Fix it>"),
        ("[AC-1597] Revert the new query (#3203)", "", "revert <the new query>"),
        (
            "Bug 1621472 - Revert \"Bug 1608427 - SETA (#6118)\", r=camd. (#6129)",
            "",
            "revert #6118 <Bug 1608427 - SETA (#6118)>",
        ),
        ("[DO NOT MERGE]Revert \"Fix it\"", "", "revert <Fix it>"),
        ("Revert #1842 + #1843", "", "revert #1842 #1843"),
        ("Revert PR #2255 as it is causing some failures (#2270)", "", "revert #2255"),
        ("Reverts PRs #5050 and #5051", "", "revert #5050 #5051"),
        ("Reverts #123", "", "revert #123"),
        ("Revert other/repo#123", "", "revert"),
        ("Revert dd46161 and 2ccade4", "", "revert dd46161 2ccade4"),
        ("Revert 676104e", "This reverts commit SHA.", "revert SHA"),
        ("reverted commit 21b49e6e7", "", "revert 21b49e6e7"),
        ("Rollback \"Fix it\"", "", "revert <Fix it>"),
        ("Back out \"Fix it\"", "", "revert <Fix it>"),
        ("Back out bug 787951", "", "revert"),
        ("Re-land \"Fix it\"", "", "reland <Fix it>"),
        ("Re-apply \"Fix it\"", "", "reland <Fix it>"),
        ("Revert of Revert of Fix it", "", "reland <Fix it>"),
        ("Revert \"#12: Fix it\"", "", "revert <#12: Fix it>"),
        ("Revert 'Revert \"Fix it\"'", "", "reland <Fix it>"),
        ("Revert “Fix it”", "", "revert <Fix it>"),
        ("Revert Rails 7.1 upgrade", "", "revert <Rails 7.1 upgrade>"),
        ("Revert", "This reverts commit SHA", "revert SHA"),
        // Its own number is not what it reverts, and a title that was cut is not a title.
        ("Revert the default for offset (#1401)", "", "revert <the default for offset>"),
        ("Revert \"Reveal the number optio…", "", "revert"),
        (
            "Revert \"Fix it\"",
            "Reverts [#12](https://github.com/openedx/edx-platform/pull/12), see",
            "revert #12 <Fix it>",
        ),
        ("Revert \"Fix it\"", "Reverts https://github.com/openedx/edx-platform/pull/12/files", "revert #12 <Fix it>"),
        ("Revert \"Fix it\"", "Reverts https://github.com/other/repo/pull/12", "revert <Fix it>"),
        ("Revert \"Fix it\"", "This reverts commits `676104e` and `a215868`.", "revert 676104e a215868 <Fix it>"),
    ]);
}

#[test]
fn an_edited_title_does_not_hide_a_revert_but_a_squashed_history_is_none() {
    check(&[
        ("Remove the banner", "This reverts commit SHA.", "revert SHA"),
        ("Remove the banner", "\n  Reverts #12", "revert #12"),
        ("Bring it back", "This is a reland of SHA", "reland SHA"),
        ("Remove the banner", "Reverts other/repo#12", "-"),
        ("Remove the banner", "It did not work.\n\nThis reverts commit SHA.", "-"),
        ("A feature (#12)", "* Begin\n\n* Revert \"Begin\"\n\nThis reverts commit SHA.", "-"),
    ]);
}

#[test]
fn prose_about_reverting_is_no_revert() {
    for title in [
        "Revert to using paths-ignore on push",
        "revert back to common crawler blacklist",
        "Reverts are now allowed",
        "feat: revert button",
        "Revert button for revisions",
        "Adding revisions history revert button.",
        "Revert part of b0a0ea7 since th-client isn't using requests",
        "Partially revert \"Fix it\"",
        "Re-apply offers in the basket so the total is correct",
        "Rollback documentation",
        "Undo Gemfile.lock changes",
        "Backend for the new page",
        "Revertible migrations",
        "Reinstate nginx",
        "Reinstate (#2344) - Add integration tests (#2366)",
        "Use Ember version with e7c20b5b9 reverted",
        "",
    ] {
        assert_eq!(said(title, "This reverts the behaviour of SHA and of 12."), "-", "{title}");
    }
}

#[test]
fn quotes_of_all_kinds_hold_a_title_unless_it_is_cut_off() {
    for (title, want) in [
        ("Revert ‘Fix it’", "revert <Fix it>"),
        ("Revert “Fix it”", "revert <Fix it>"),
        ("Revert 'Fix it'", "revert <Fix it>"),
        ("Revert 'Fix it' (#9)", "revert <Fix it>"),
    ] {
        assert_eq!(said(title, ""), want, "{title}");
    }
    expect_test::expect![[r#"
        Revert "Fix it: revert
        Revert 'Fix it: revert <'Fix it>
        Revert ‘Fix it: revert
        Revert "Fix…": revert
        Revert "…": revert
        Revert "!": revert"#]]
    .assert_eq(
        &["Revert \"Fix it", "Revert 'Fix it", "Revert ‘Fix it", "Revert \"Fix…\"", "Revert \"…\"", "Revert \"!\""]
            .map(|title| format!("{title}: {}", said(title, "")))
            .join("\n"),
    );
}

#[test]
fn a_commit_is_told_from_a_word_and_a_number() {
    let digits = "1".repeat(40);
    let letters = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";
    for (body, want) in [
        ("This reverts 12ab34f5.", "revert 12ab34f5 <x>"),
        ("This reverts 1234567.", "revert <x>"),
        ("This reverts abcdefa.", "revert <x>"),
        ("This reverts commit 1234567.", "revert 1234567 <x>"),
        ("This reverts commit abcdefa.", "revert abcdefa <x>"),
        (&format!("This reverts {digits}."), &format!("revert {digits} <x>")),
        (&format!("This reverts {letters}."), &format!("revert {letters} <x>")),
        (&format!("This reverts {}.", &digits[1..]), "revert <x>"),
        ("This reverts bug 12.", "revert <x>"),
        ("This reverts bug 12ab34f5.", "revert 12ab34f5 <x>"),
        ("This reverts #12 and commit 12ab34f5.", "revert 12ab34f5 #12 <x>"),
        ("This reverts openedx/edx-platform@12ab34f5.", "revert 12ab34f5 <x>"),
    ] {
        assert_eq!(said("Revert \"x\"", body), want, "{body}");
    }
}

#[test]
fn of_one_commit_the_fuller_name_is_kept() {
    let short = &SHA[..9];
    for body in [
        format!("This reverts commit {short}.\n\nThis reverts commit {SHA}."),
        format!("This reverts commit {SHA}.\n\nThis reverts commit {short}."),
        format!("This reverts commits {SHA} and {short}."),
        format!("This reverts commits {short} and {SHA}."),
    ] {
        assert_eq!(said("Revert \"x\"", &body), format!("revert {SHA} <x>"), "{body}");
    }
}

#[test]
fn a_hostile_body_is_read_to_its_bounds() {
    let many: String = (1..100).map(|n| format!("Reverts #{n}\n\n")).collect();
    assert_eq!(read("Revert \"x\"", &many, &repository()).unwrap().of.len(), MOST_CLAIMS);
    let late = format!("{}\n\nReverts #7", "é".repeat(10 * 1024));
    assert_eq!(said("Revert \"x\"", &late), "revert <x>");
    let deep = "Revert \"".repeat(10_000);
    assert!(read(&deep, &deep, &repository()).is_some());
    assert_eq!(said("Reverts #0", "Reverts #99999999999999999999, #+5"), "-");
}

#[test]
fn it_is_stored_as_it_reads() {
    let stored = serde_json::to_value(read("Revert \"x (#3)\"", "", &repository())).unwrap();
    assert_eq!(stored.to_string(), r#"{"lands_again":false,"of":[{"number":3},{"title":"x (#3)"}]}"#);
    assert_eq!(
        serde_json::from_value::<Option<Reverts>>(stored).unwrap(),
        read("Revert \"x (#3)\"", "", &repository())
    );
}

proptest! {
    #[test]
    fn nothing_that_is_written_makes_it_panic(
        title in r#"(Revert|reland|Rollback|\[a\]|fix\(b\)|[ :"'“”#!(),.-]|é|commit|#1|[0-9a-f]{7}){0,12}"#,
        body in r#"(This reverts |Reverts |commit|o/n#|https://|/pull/|\]\(|[ \r\n.,#!@:*-]|é|[0-9a-f]{7}){0,40}"#,
        free in ".{0,80}",
    ) {
        for (title, body) in [(&title, &body), (&free, &body), (&title, &free)] {
            if let Some(found) = read(title, body, &repository()) {
                prop_assert!(found.of.len() <= MOST_CLAIMS);
            }
        }
    }
}
