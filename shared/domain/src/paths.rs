//! Patterns of paths, as `.gitignore` and GitHub's CODEOWNERS write them: which files of a repository they mean.
//!
//! `docs/` is a folder at any depth, `/docs/` that of the root, `*.rb` an ending, `docs/*` the files directly in
//! a folder, `docs/**` all below it. Letter case counts. Deliberately absent, as on GitHub: `!`, `[ ]` and `\#`.

use std::fmt;

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// How many patterns one list may have.
pub const MOST_PATTERNS: usize = 1000;
const MOST_LENGTH: usize = 500;
/// Patterns are compiled in sets of this many: quick to match, and far below the engine's bound of size.
const ONE_SET: usize = 500;
/// A path with more folders than these is compared by the outermost of them.
const MOST_FOLDERS: usize = 50;

/// Which slash ties a pattern to the root of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// One at the start or in the middle: `.gitignore`, GitHub.
    AnySlash,
    /// One at the start only: GitLab.
    LeadingSlash,
}

/// What a pattern's glob is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    File,
    /// The folder that the file is directly in.
    Parent,
    /// Any folder that the file is in.
    Folder,
    /// The file and any folder that it is in.
    Both,
}

impl Means {
    /// Whether it is compared with a file, its parent, or a folder further up.
    fn includes(self, candidate: Means) -> bool {
        match self {
            Self::Both => true,
            Self::Folder => matches!(candidate, Self::Folder | Self::Parent),
            Self::File | Self::Parent => self == candidate,
        }
    }
}

/// One pattern. A file is also compared by its folders, so that most globs stay plain names, which are looked up
/// and not searched.
pub(crate) struct Pattern {
    glob: Glob,
    means: Means,
}

impl Pattern {
    /// `Err`: why it is none.
    pub(crate) fn new(pattern: &str, anchor: Anchor) -> Result<Self, String> {
        let refused = [
            (pattern.len() > MOST_LENGTH, "is too long"),
            (pattern.starts_with('!'), "`!` is not supported: write what is meant, not what is not"),
            (pattern.starts_with("\\#"), "`\\#` is not supported: a path cannot begin with `#`"),
            (pattern.contains(['[', ']']), "`[ ]` is not supported: write `?` for one character"),
            (pattern.chars().all(|c| c == '/'), "names no file"),
        ];
        if let Some((_, why)) = refused.iter().find(|(is_refused, _)| *is_refused) {
            return Err((*why).to_owned());
        }
        let core = pattern.trim_matches('/');
        let is_anchored = pattern.starts_with('/') || (anchor == Anchor::AnySlash && core.contains('/'));
        let (core, means) = match core.rsplit_once('/') {
            _ if pattern.ends_with('/') => (core, Means::Folder),
            Some((folder, "*" | "**")) if folder.ends_with("**") => (core, Means::File),
            Some((folder, "*")) => (folder, Means::Parent),
            Some((folder, "**")) => (folder, Means::Folder),
            None if core == "*" && is_anchored => (core, Means::File),
            Some(_) | None => (core, Means::Both),
        };
        // Braces are ordinary characters of a path.
        let core = core.replace('{', "\\{").replace('}', "\\}");
        let glob = if is_anchored || core.starts_with("**/") { core } else { format!("**/{core}") };
        let built = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build();
        Ok(Self { glob: built.map_err(|error| error.kind().to_string())?, means })
    }
}

/// Many patterns that are matched together.
#[derive(Clone, Default)]
pub(crate) struct Patterns {
    sets: Vec<(GlobSet, Vec<Means>)>,
}

impl Patterns {
    pub(crate) fn new(patterns: &[Pattern]) -> Result<Self, String> {
        let compiled = patterns.chunks(ONE_SET).map(|some| {
            let mut set = GlobSetBuilder::new();
            for pattern in some {
                set.add(pattern.glob.clone());
            }
            Ok((set.build()?, some.iter().map(|p| p.means).collect()))
        });
        let sets = compiled.collect::<Result<_, globset::Error>>();
        Ok(Self { sets: sets.map_err(|error| error.kind().to_string())? })
    }

    /// The last pattern that means this file.
    pub(crate) fn last_match(&self, path: &str) -> Option<usize> {
        let path = path.trim_start_matches('/');
        let parent = path.rfind('/');
        let folders = path.match_indices('/').take(MOST_FOLDERS).map(|(end, _)| {
            let kind = if Some(end) == parent { Means::Parent } else { Means::Folder };
            (Candidate::new(&path[..end]), kind)
        });
        let all: Vec<_> = folders.chain([(Candidate::new(path), Means::File)]).collect();
        let mut found = Vec::new();
        for (number, (set, means)) in self.sets.iter().enumerate().rev() {
            let mut last = None;
            for (candidate, kind) in &all {
                set.matches_candidate_into(candidate, &mut found);
                let fits = |i: &&usize| means.get(**i).is_some_and(|m| m.includes(*kind));
                last = last.max(found.iter().filter(fits).max().copied());
            }
            if let Some(last) = last {
                return Some(number * ONE_SET + last);
            }
        }
        None
    }
}

/// A set of patterns: the part of a repository that is somebody's.
#[derive(Clone, Default)]
pub struct Paths {
    patterns: Vec<String>,
    compiled: Patterns,
}

impl Paths {
    /// `Err`: the first pattern that is none, by its place, and why.
    pub fn new(patterns: &[String]) -> Result<Self, (usize, String)> {
        if patterns.len() > MOST_PATTERNS {
            return Err((MOST_PATTERNS, format!("is one of more than {MOST_PATTERNS} patterns")));
        }
        let read = |(i, text): (usize, &String)| Pattern::new(text, Anchor::AnySlash).map_err(|why| (i, why));
        let read = patterns.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let compiled = Patterns::new(&read).map_err(|why| (0, why))?;
        Ok(Self { patterns: patterns.to_vec(), compiled })
    }

    /// Whether one of the patterns means this file. Without patterns there is none.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.compiled.last_match(path).is_some()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}

impl PartialEq for Paths {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Paths {}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(patterns: &[&str]) -> Paths {
        Paths::new(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn patterns_mean_what_gitignore_and_github_say() {
        for (pattern, inside, outside) in [
            ("*", &["a", "a/b", ".env"][..], &[][..]),
            ("*.js", &["a.js", "a/b.js", "a.js/b"], &["a.jsx", "js"]),
            ("/build/logs/", &["build/logs/a", "build/logs/a/b"], &["build/logs", "x/build/logs/a"]),
            ("docs/*", &["docs/a.md"], &["docs/a/b.md", "x/docs/a.md", "docs"]),
            ("/*", &["a"], &["a/b"]),
            ("apps/", &["apps/a", "x/apps/a"], &["apps", "myapps/a"]),
            ("/docs/", &["docs/a"], &["x/docs/a"]),
            ("/docs", &["docs", "docs/a"], &["x/docs", "docsy"]),
            ("lms/urls.py", &["lms/urls.py"], &["x/lms/urls.py", "lms/urlsXpy"]),
            ("lms/**", &["lms/a", "lms/a/b"], &["lms", "cms/a"]),
            ("**/logs", &["logs", "a/logs", "a/b/logs/c"], &["logsy"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b/c"], &["b", "x/a/b"]),
            ("apps/*/api/", &["apps/x/api/a"], &["apps/api/a", "apps/x/y/api/a"]),
            ("**/*", &["a", "a/b/c"], &[]),
            ("**", &["a", "a/b/c"], &[]),
            ("a/**/*", &["a/b", "a/b/c"], &["a", "b"]),
            ("x/*/*", &["x/a/b"], &["x/a", "x/a/b/c"]),
            ("a?c", &["abc", "x/abc"], &["a/c", "ac"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("with space/", &["with space/a"], &["with"]),
            ("x{1,2}", &["x{1,2}"], &["x1"]),
            ("Makefile", &["Makefile", "a/Makefile"], &["makefile"]),
        ] {
            let paths = paths(&[pattern]);
            for path in inside {
                assert!(paths.matches(path), "{pattern} means {path}");
                assert!(paths.matches(&format!("/{path}")), "{pattern} means /{path}");
            }
            for path in outside {
                assert!(!paths.matches(path), "{pattern} does not mean {path}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_its_place() {
        for bad in ["!a", "[ab].js", "\\#a", "/", "", "a\\", &"x".repeat(501)] {
            let (at, why) = Paths::new(&["lms/**".to_owned(), bad.to_owned()]).unwrap_err();
            assert!(at == 1 && !why.is_empty(), "{bad}: {why}");
        }
        assert_eq!(Paths::new(&vec!["a".to_owned(); 1001]).unwrap_err().0, 1000);
        assert!(paths(&[]).is_empty() && !paths(&[]).matches("a"));
        assert_eq!(format!("{:?}", paths(&["a/", "*.rb"])), r#"["a/", "*.rb"]"#);
        assert_ne!(paths(&["a"]), paths(&["b"]));
    }
}
