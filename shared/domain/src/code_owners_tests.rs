//! The examples of GitHub's and GitLab's documentation, and what they do not support.

use proptest::prelude::*;

use super::{CodeOwners, MOST_RULES, handle};

fn read(text: &str) -> CodeOwners {
    let (owners, problems) = CodeOwners::parse(text);
    assert_eq!(problems, []);
    owners
}

#[test]
fn githubs_example_is_read_as_github_says() {
    let owners = read(
        "# This is a comment.
*       @global-owner1 @Global-Owner2

*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/scripts/ @doctocat @octocat
**/logs @octologs
/apps/ @octocat
/apps/github # Nobody: ownership is taken away.
/with\\ space/ @spacer
",
    );
    for (path, want) in [
        ("README", &["@global-owner1", "@global-owner2"][..]),
        ("lib/a.js", &["@js-owner"]),
        ("a.go", &["docs@example.com"]),
        ("a.txt", &["@octo-org/octocats"]),
        ("docs/start.md", &["docs@example.com"]),
        ("docs/build/start.md", &["@global-owner1", "@global-owner2"]),
        ("x/apps/a.rb", &["@octocat"]),
        ("scripts/a", &["@doctocat", "@octocat"]),
        ("deeply/nested/logs/a", &["@octologs"]),
        ("build/logs/a.js", &["@octologs"]),
        ("apps/github/a", &[]),
        ("apps/a", &["@octocat"]),
        ("with space/a", &["@spacer"]),
    ] {
        assert_eq!(owners.owners_of(path), want, "{path}");
    }
}

#[test]
fn gitlabs_sections_decide_each_for_itself() {
    let owners = read(
        "* @general-approvers
[Documentation][2] @docs-team
docs/
README.md
internal/README.md @inside

^[Database] @database-team @group/with-nested/subgroup
model/db/
config/db/database-setup.md @docs-team

[DOCUMENTATION]
*.txt @@maintainer
docs/
",
    );
    for (path, want) in [
        ("a", &["@general-approvers"][..]),
        ("README.md", &["@docs-team", "@general-approvers"]),
        ("x/internal/README.md", &["@general-approvers", "@inside"]),
        ("x/model/db/a", &["@database-team", "@general-approvers", "@group/with-nested/subgroup"]),
        ("config/db/database-setup.md", &["@docs-team", "@general-approvers"]),
        ("a.txt", &["@@maintainer", "@general-approvers"]),
        // The later part of the section has no default owners.
        ("docs/a", &["@general-approvers"]),
    ] {
        assert_eq!(owners.owners_of(path), want, "{path}");
    }
}

#[test]
fn what_is_not_supported_is_a_problem_of_its_line_and_means_nothing() {
    let (owners, problems) = CodeOwners::parse(
        "*.rb @ruby\n!a.rb @x\n[ab].rb @x\n\\#a.rb @x\na.rb ruby-team\n[Name][two] @x\n[ ] @x\n/ @x\nb.rb @x,@y\n",
    );
    let lines: Vec<usize> = problems.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9], "{problems:?}");
    assert!(problems[3].1.contains("`ruby-team` is not an owner"), "{problems:?}");
    assert_eq!((owners.owners_of("a.rb"), owners.rules()), (vec!["@ruby"], 1));
    assert_eq!(read("").owners_of("a"), Vec::<&str>::new());
}

#[test]
fn a_file_is_read_to_its_bounds() {
    let (owners, problems) = CodeOwners::parse(&"a @x\n".repeat(MOST_RULES + 5));
    assert_eq!((owners.rules(), problems.len()), (MOST_RULES, 1));
    let (owners, problems) = CodeOwners::parse(&"#".repeat(3 * 1024 * 1024 + 1));
    assert_eq!((owners.rules(), problems.len()), (0, 1));
}

#[test]
fn owners_are_compared_without_regard_to_case() {
    assert_eq!(handle("@OpenedX/Teaching").as_deref(), Some("@openedx/teaching"));
    for bad in ["", "@", "@@", "teaching", "a@b", "@a,@b", "@a@b", "@<b>"] {
        assert_eq!(handle(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_written_makes_it_panic(
        text in r#"(\*|\*\*|/|docs|\.rb|\[A\]|\[2\]|\^|@a|a@b\.c|#|!|\\| |\t|\r|\n|\{|\}|é){0,60}"#,
        path in "[a-c/.*é]{0,12}",
    ) {
        let (owners, _) = CodeOwners::parse(&text);
        prop_assert!(owners.owners_of(&path).len() <= text.len());
    }
}

#[test]
fn what_is_too_much_is_a_problem_of_its_line_and_what_just_fits_is_none() {
    assert_eq!(CodeOwners::parse(&"#".repeat(3 * 1024 * 1024)).1, []);
    let lines = |text: &str| CodeOwners::parse(text).1.into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(lines(&format!("# first\n{}", "a @x\n".repeat(MOST_RULES + 5))), [MOST_RULES + 1]);
    assert_eq!(lines(&format!("a {}\n", "@x ".repeat(100))), [0; 0]);
    assert_eq!(lines(&format!("b @x\na {}\n", "@x ".repeat(101))), [2]);
}

#[test]
fn whether_anything_is_somebodys_is_known() {
    let owners = read("*.js @js\n[Docs] @writers\ndocs/ @editors\nREADME.md\n");
    assert_eq!(["@js", "@writers", "@editors", "@nobody"].map(|owner| owners.names(owner)), [true, true, true, false]);
    assert!(!read("# nothing\n").names("@js"));
}

#[test]
fn an_owner_is_an_account_a_team_a_role_or_an_address() {
    for good in ["@a", "@org/team", "@@maintainer", "docs@example.com", &format!("@{}", "a".repeat(199))] {
        assert_eq!(handle(good).as_deref(), Some(good));
    }
    let long = format!("@{}", "a".repeat(200));
    for bad in ["@-a", "@example.com@x", "docs@example", "@é", "docs@exa,mple.com", "@a#b", &long] {
        assert_eq!(handle(bad), None, "{bad}");
    }
}
