//! Whose code is whose, from the configuration's files to the squads; and that a large change is matched quickly.

use std::fmt::Write;
use std::time::{Duration, Instant};

use aws::settings::Configuration;
use domain::change::Files;
use domain::{CodeOwners, Repository, Wish};
use house_tests::{configuration, root};

/// The best of five, because other tests run beside this one.
fn measured(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        #[expect(clippy::disallowed_methods, reason = "what is measured is the time")]
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..5).map(once).min().unwrap()
}

#[test]
fn three_hundred_files_are_matched_against_two_thousand_rules() {
    let mut text = "* @everybody\n".to_owned();
    for n in 0..480 {
        writeln!(text, "/services/s{n}/ @squad{n}").unwrap();
        writeln!(text, "packages/p{n}/* @squad{n}").unwrap();
        writeln!(text, "test_{n}/ @squad{n}").unwrap();
        writeln!(text, "*.ext{n} @squad{n}").unwrap();
    }
    // Few rules of a real file have to be searched for.
    for n in 0..80 {
        writeln!(text, "**/feature_{n}_*.py @squad{n}").unwrap();
    }
    let (owners, problems) = CodeOwners::parse(&text);
    assert_eq!((owners.rules(), problems), (2001, vec![]));
    let files: Vec<String> = (0..300)
        .map(|n| match n % 4 {
            0 => format!("services/s{n}/src/deeply/nested/folder/module_{n}.py"),
            1 => format!("packages/p{n}/index.js"),
            2 => format!("lib/python/feature_{}_flags.py", n % 80),
            _ => format!("docs/chapter/section_{n}/page.md"),
        })
        .collect();
    let took = measured(|| {
        for (n, file) in files.iter().enumerate() {
            let squad = format!("@squad{}", if n % 4 == 2 { n % 80 } else { n });
            let want = if n % 4 == 3 { "@everybody" } else { &squad };
            assert_eq!(owners.owners_of(file), [want], "{file}");
        }
    });
    // A timing is no test: a machine may be busy.
    println!("300 files against 2001 rules: {took:?}");
}

#[test]
fn the_sample_says_whose_code_is_whose() {
    let settings = Configuration::read(&root().join("infra/recent-deployers.toml")).unwrap().settings;
    let repository: Repository = "openedx/edx-platform".parse().unwrap();
    let of = |files: &[&str]| {
        let squads = settings.ownership.squads_of(&repository, files.iter().copied());
        squads.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(&["lms/urls.py"]), "teaching");
    assert_eq!(of(&["lms/static/sass/main.scss", "cms/urls.py"]), "design teaching");
    assert_eq!(of(&["cms/urls.py", "lms/README.md"]), "");
    let wishes: Vec<Wish> = settings.squads.values().map(|s| s.wish).collect();
    assert_eq!(wishes, [Wish::AfterEscalation, Wish::Mine]);
}

#[test]
fn a_monorepo_has_services_by_path() {
    let text = configuration(&["lms", "cms"])
        .replacen(
            r#"name = "openedx/edx-platform""#,
            r#"name = "openedx/edx-platform", paths = ["lms/**", "/common/"]"#,
            1,
        )
        .replacen(
            r#"[{ name = "openedx/edx-platform" }]"#,
            r#"[{ name = "openedx/edx-platform", paths = ["/cms/", "/common/"] }]"#,
            1,
        );
    let settings = Configuration::parse(&text, &aws::settings::no_files).unwrap().settings;
    let repository: Repository = "openedx/edx-platform".parse().unwrap();
    let touched = |files: Option<Files>| {
        let services = settings.services().filter(|s| s.touched_by(&repository, files.as_ref()));
        services.map(|s| s.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    for (file, want) in [("lms/urls.py", "lms"), ("cms/urls.py", "cms"), ("common/a.py", "cms lms"), ("docs/a.md", "")]
    {
        assert_eq!(touched(Some(Files::of([file]))), want, "{file}");
    }
    assert_eq!(touched(None), "cms lms", "files that are not known touch everything");
}
