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
